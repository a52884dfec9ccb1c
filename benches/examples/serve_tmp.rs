use pagestream_bench::{contacts::Contacts, server::Server};
use std::time::Duration;
fn main() {
    let a = Server::start(Contacts::new(10_000), |_| Duration::ZERO).unwrap();
    let b = Server::start(Contacts::new(20_000), |_| Duration::ZERO).unwrap();
    println!("{} {}", a.base_url(), b.base_url());
    std::thread::sleep(Duration::from_secs(36000));
}
