//! Variables of the environment that name a proxy. Each test runs itself again as a process
//! with the variables set, since a process has one environment for all of its tests.

use std::{
    env, io,
    net::TcpListener,
    process::{Command, Output},
    time::Duration,
};

use bytes::Bytes;
use futures::TryStreamExt;
use http::Request;
use pagestream::{
    PaginatorExt, Reqwest, Retry, Transport,
    hubspot::Associations,
    testing::{HubSpot, Server},
};

/// Set in the process that has the proxy in its environment.
const INNER: &str = "PAGESTREAM_TEST_WITH_A_PROXY";

/// A proxy that nobody may come to, or that says who came.
fn proxy() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}"))
}

/// Runs a test of this binary again, with these variables set.
fn run_again(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(INNER, "1");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn is_inner() -> bool {
    env::var_os(INNER).is_some()
}

/// The test itself, in a process whose every variable names a proxy.
fn with_proxies(test: &str, inner: impl Future<Output = ()>) {
    if is_inner() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.unwrap().block_on(inner);
    }
    let (listener, url) = proxy();
    let names =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let output = run_again(test, &names.map(|name| (name, &*url)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(ran, "{}", String::from_utf8_lossy(&output.stdout));
    // A connection would be waiting to be accepted.
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

async fn read(base_url: String, service: &HubSpot) {
    let associations = Associations::builder("deals", "companies").ids(service.ids());
    let associations = associations.token("a-token").base_url(base_url).allow_plain_http();
    let transport = Reqwest::new().unwrap().deadline(Duration::from_secs(5));
    let associations = associations.transport(transport).build().unwrap();
    let records = associations.read().retry(Retry::never()).records();
    let records: Vec<_> = records.try_collect().await.unwrap();
    assert_eq!(records.len(), 6);
}

#[test]
fn what_goes_to_loopback_never_goes_through_a_proxy() {
    with_proxies("what_goes_to_loopback_never_goes_through_a_proxy", async {
        let service = HubSpot::new(1).objects(3);
        let server = Server::start(service.clone()).await.unwrap();
        read(server.base_url(), &service).await;
        let port = server.address().port();
        read(format!("http://localhost:{port}"), &service).await;
        // With https, to a service that has no TLS. Without a TLS feature nothing is sent.
        let request = Request::get(format!("https://127.0.0.1:{port}/")).body(Bytes::new());
        let transport = Reqwest::new().unwrap().deadline(Duration::from_secs(5));
        transport.send(request.unwrap()).await.unwrap_err();
    });
}

/// An address of this machine that is no loopback address.
#[cfg(unix)]
#[test]
fn plain_http_never_goes_through_a_proxy() {
    with_proxies("plain_http_never_goes_through_a_proxy", async {
        let service = HubSpot::new(1).objects(3);
        let server = Server::start(service.clone()).await.unwrap();
        read(format!("http://0.0.0.0:{}", server.address().port()), &service).await;
    });
}

/// `.ci/tls` runs it.
#[cfg(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))]
#[test]
fn https_goes_through_the_proxy_that_the_environment_names_unless_it_says_otherwise() {
    use std::io::Read;

    let name = "https_goes_through_the_proxy_that_the_environment_names_unless_it_says_otherwise";
    if is_inner() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let request = Request::get("https://pagestream.invalid/").body(Bytes::new()).unwrap();
            let transport = Reqwest::new().unwrap().deadline(Duration::from_secs(1));
            transport.send(request).await.unwrap_err();
        });
    }
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let (listener, url) = proxy();
        assert!(run_again(name, &[(variable, &url)]).status.success());
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(false).unwrap();
        let mut asked = [0; 38];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"CONNECT pagestream.invalid:443 HTTP/1.");

        let variables = [(variable, &*url), ("NO_PROXY", "other, .invalid")];
        assert!(run_again(name, &variables).status.success());
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
