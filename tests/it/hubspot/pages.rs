//! The pages of an id.

use futures::StreamExt;
use http::Method;
use pagestream::PaginatorExt;

use super::{Told, deals, envelope, flat, page, read, resume, row, told};
use crate::support::{Script, sorted};

#[tokio::test]
async fn an_id_is_read_until_its_after_is_gone() {
    let (items, asked) = flat([1], &["1:11>a", "1:12,13>b", "1:14"]).await;
    assert_eq!(items, ["1 -> 11", "1 -> 12", "1 -> 13", "1 -> 14"]);
    assert_eq!(asked, ["1", "1@a", "1@b"]);
}

#[tokio::test]
async fn an_empty_page_with_an_after_is_not_the_end() {
    let (items, asked) = flat([1], &["1:>a", "1:>b", "1:11"]).await;
    assert_eq!((items, asked.len()), (vec!["1 -> 11".to_owned()], 3));
}

#[tokio::test]
async fn an_empty_after_is_the_end() {
    let (items, asked) = flat([1], &["1:11>"]).await;
    assert_eq!((items, asked), (vec!["1 -> 11".to_owned()], vec!["1".to_owned()]));
}

#[tokio::test]
async fn each_id_goes_with_its_own_after() {
    let pages = ["1:11>a 2:21>b 3:31>c", "1:12>a2 2:22 3:32>a", "1: 3:"];
    let (items, asked) = flat([1, 2, 3], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "3 -> 31", "1 -> 12", "2 -> 22", "3 -> 32"]);
    assert_eq!(asked, ["1 2 3", "1@a 2@b 3@c", "1@a2 3@a"]);
}

#[tokio::test]
async fn a_finished_id_is_not_sent_again() {
    let (items, asked) = flat(1..=4, &["1:11 2:21>b -3 !4", "2:22"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Rejected: 4", "2 -> 22"]);
    assert_eq!(asked, ["1 2 3 4", "2@b"]);
}

/// Through a checkpoint's text too.
#[tokio::test]
async fn an_after_goes_back_byte_for_byte() {
    for after in ["MC0yLTQ0MjQ4ODczNTk0OA%3D%3D", "a+b/c== &?\"\\\n\t\u{0}é🦀", " ", "0", "null"]
    {
        let script = Script::new([envelope(&[row(&format!("1:11>{after}"))], &[]), page("1:12")]);
        let associations = script.deals([1]);
        let mut records = associations.records();
        assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
        assert_eq!(resume(&associations, &records.checkpoint().unwrap()).await, ["1 -> 12"]);
        assert_eq!(script.asked(), ["1".to_owned(), format!("1@{after}")]);
    }
}

#[tokio::test]
async fn link_is_never_followed() {
    let script = Script::pages(&["1:11>a", "1:12"]);
    assert_eq!(read(&script.deals([1])).await, ["1 -> 11", "1 -> 12"]);
    let requests = script.all_requests();
    assert_eq!(requests[1].uri(), requests[0].uri());
    assert_eq!(requests[1].method(), Method::POST);
}

#[tokio::test]
async fn leftovers_share_a_request_with_fresh_ids() {
    let script = Script::pages(&["1:11>a 2:21 3:31>c", "1:12 3:32 4:41>d", "4:42 5:51"]);
    let associations = deals(1..=5, script.transport()).batch_size(3).build().unwrap();
    let records = "1 -> 11|2 -> 21|3 -> 31|1 -> 12|3 -> 32|4 -> 41|4 -> 42|5 -> 51";
    assert_eq!(read(&associations).await.join("|"), records);
    assert_eq!(script.asked(), ["1 2 3", "1@a 3@c 4", "4@d 5"]);
}

#[tokio::test]
async fn leftovers_of_several_responses_share_a_request() {
    let script = Script::pages(&["1:11>a 2:21", "3:31>c 4:41", "1:12 3:32"]);
    let associations = deals(1..=4, script.transport()).batch_size(2).build().unwrap();
    let items = told(&associations.read().window(2).records().collect::<Vec<_>>().await);
    let records = ["1 -> 11", "1 -> 12", "2 -> 21", "3 -> 31", "3 -> 32", "4 -> 41"];
    assert_eq!(sorted(items), records);
    let asked = script.asked();
    assert_eq!(asked[..2], ["1 2", "3 4"]);
    assert_eq!(sorted(asked[2].split(' ').map(String::from).collect()), ["1@a", "3@c"]);
}
