//! The proxy that the environment names.

use std::env;

use reqwest::{ClientBuilder, NoProxy, Proxy};

/// Hosts that are this machine.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Sends https through the proxy of the environment, where there is one. Plain http never
/// goes through a proxy, which would read the credentials; nor does what goes to this
/// machine.
pub(super) fn with_proxy(builder: ClientBuilder) -> ClientBuilder {
    // It also switches off what reqwest reads by itself.
    let builder = builder.no_proxy();
    let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    match first_of(&variables).and_then(|url| Proxy::https(url).ok()) {
        Some(proxy) => {
            let without = first_of(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
            builder.proxy(proxy.no_proxy(NoProxy::from_string(&format!("{without},{LOOPBACK}"))))
        }
        None => builder,
    }
}

fn first_of(variables: &[&str]) -> Option<String> {
    variables.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}
