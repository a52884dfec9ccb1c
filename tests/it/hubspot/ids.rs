//! The ids that are read, and how they share requests.

use futures::StreamExt;
use pagestream::{PaginatorExt, StopReason, hubspot::ObjectId, testing::HubSpot};

use super::{batch_sizes, deals, read};
use crate::support::{Script, held};

#[tokio::test]
async fn ids_come_from_a_vec_or_any_iterator_as_numbers_or_strings() {
    let script = Script::pages(&["1:11 2:21 3:31 4:41 5:51 6:61"]);
    let ids = deals(vec![1, 2], script.transport()).ids((3..9).take_while(|id| *id < 4));
    let ids = ids.ids(["4"]).ids(vec![String::from("5")]).ids([&ObjectId::from(6)]);
    let records = ["1 -> 11", "2 -> 21", "3 -> 31", "4 -> 41", "5 -> 51", "6 -> 61"];
    assert_eq!(read(&ids.build().unwrap()).await, records);
    assert_eq!(script.asked(), ["1 2 3 4 5 6"]);
}

#[tokio::test]
async fn no_ids_make_no_request() {
    let script = Script::new([]);
    let associations = script.deals([]);
    let mut records = associations.clone().into_records();
    assert!(records.next().await.is_none());
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
    assert_eq!(read(&associations.grouped()).await, [""; 0]);
    assert_eq!(script.asked(), [""; 0]);
}

/// Also where they stand in different batches, and as a number and a string.
#[tokio::test]
async fn duplicate_ids_are_read_once() {
    let script = Script::pages(&["3:31 1:11", "2:21"]);
    let builder = deals([3, 1, 3, 2, 1], script.transport()).ids(["2", "3"]).batch_size(2);
    assert_eq!(read(&builder.build().unwrap()).await, ["3 -> 31", "1 -> 11", "2 -> 21"]);
    assert_eq!(script.asked(), ["3 1", "2"]);
}

#[tokio::test]
async fn a_request_holds_at_most_1000_inputs_and_fewer_by_choice() {
    let service = HubSpot::new(1).objects(2_500);
    assert_eq!(read(&deals(service.ids(), service.clone()).build().unwrap()).await, held(&service));
    assert_eq!(batch_sizes(&service), [1000, 1000, 500]);

    let service = HubSpot::new(1).objects(8);
    let smaller = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    assert_eq!(read(&smaller).await, held(&service));
    assert_eq!(batch_sizes(&service), [3, 3, 2]);
}
