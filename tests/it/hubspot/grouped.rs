//! The grouped view.

use futures::StreamExt;
use pagestream::PaginatorExt;

use super::{Told, deals, grouped};
use crate::support::Script;

#[tokio::test]
async fn a_group_has_all_associations_of_its_id_in_page_order() {
    let pages = ["1:19,11>a 2:21>x", "2:29>y 1:15>b", "1:10 2:22"];
    assert_eq!(grouped([1, 2], &pages).await, ["1 -> [19, 11, 15, 10]", "2 -> [21, 29, 22]"]);
}

#[tokio::test]
async fn a_group_comes_as_soon_as_its_id_is_read_whole() {
    let script = Script::pages(&["1:11>a 2:21", "1:12>b 3:31", "1:13 4:41"]);
    let associations = deals(1..=4, script.transport()).batch_size(2).build().unwrap();
    let mut groups = associations.grouped().into_records();
    for (group, requests) in
        [("2 -> [21]", 1), ("3 -> [31]", 2), ("1 -> [11, 12, 13]", 3), ("4 -> [41]", 3)]
    {
        assert_eq!(groups.next().await.unwrap().told(), group);
        assert_eq!(groups.monitor().progress().requests, requests);
    }
    assert!(groups.next().await.is_none());
}

#[tokio::test]
async fn an_id_without_associations_gives_an_empty_group() {
    let groups = grouped(1..=4, &["1: -2 3:31>c 4:>d", "-3 4:"]).await;
    assert_eq!(groups, ["1 -> []", "2 -> []", "3 -> [31]", "4 -> []"]);
}

/// Also if it fails behind pages that were good.
#[tokio::test]
async fn a_failed_id_gives_its_error_and_no_group() {
    let items = grouped(1..=5, &["1:11>a 2:21>b 3:31 !4", "2:22>b !1"]).await;
    let errors = ["Rejected: 4", "Contradiction: 5", "Rejected: 1", "Loop: 2"];
    assert_eq!(items[0], "3 -> [31]");
    assert_eq!(items[1..], errors);
}

/// An object of 150 pages of 500 associations.
fn deep(asked: &str) -> String {
    let page = asked.split_once('@').map_or(0, |(_, page)| page.parse::<u64>().unwrap());
    let to = (page * 500..page * 500 + 500).map(|to| to.to_string()).collect::<Vec<_>>().join(",");
    let after = if page < 149 { format!(">{}", page + 1) } else { String::new() };
    format!("1:{to}{after}")
}

#[tokio::test]
async fn a_checkpoint_in_a_deep_object_is_small_and_the_group_comes_whole() {
    let service = |request: http::Request<bytes::Bytes>| {
        let body = super::page(&deep(&super::inputs(request.body()))).1;
        std::future::ready(Ok::<_, pagestream::Error>(http::Response::new(body)))
    };
    let groups = deals([1], service).build().unwrap().grouped();
    let mut checkpoint = None;
    for cut in [100, 3, 149] {
        let read = groups.read().max_requests(cut);
        let read = match checkpoint.take() {
            Some(checkpoint) => read.resume(crate::support::stored(&checkpoint)),
            None => read,
        };
        let mut stream = read.records();
        assert!(stream.next().await.is_none());
        let taken = stream.checkpoint().unwrap();
        assert!(serde_json::to_string(&taken).unwrap().len() < 1_000);
        checkpoint = Some(taken);
    }
    let rest = groups.read().resume(checkpoint.unwrap()).records();
    let rest = rest.map(|group| group.unwrap().to.len()).collect::<Vec<_>>().await;
    assert_eq!(rest, [75_000]);
}

/// The checkpoint has the ids that have pages to come, and nothing that was read of them.
#[tokio::test]
async fn only_open_ids_are_held() {
    let pages = ["101:901 102:902>b 103:903>c", "102:912 103:913>d", "103:923"];
    let mut groups = Script::pages(&pages).deals(101..=103).grouped().into_records();
    let ids = [101, 102, 103, 901, 902, 903, 912, 913, 923].map(|id| id.to_string());
    for held in [&["102", "103"][..], &["103"], &[]] {
        groups.next().await.unwrap().unwrap();
        let checkpoint = serde_json::to_string(&groups.checkpoint().unwrap()).unwrap();
        let found = ids.iter().filter(|id| checkpoint.contains(&format!("\"{id}\"")));
        assert_eq!(found.collect::<Vec<_>>(), held);
    }
}
