//! A page that failed is asked for again with its cursor, and nothing of it is seen.

use pagestream::{
    PaginatorExt, StopReason,
    testing::{Alloy, HubSpot},
};

use super::{
    pages::{Pages, busy, fails},
    vendors::{Faulty, all_of, answer, companies, contacts, read_companies},
};
use crate::support::{drain, told};

#[tokio::test(start_paused = true)]
async fn a_page_that_failed_is_fetched_again_with_its_cursor_and_the_records_show_nothing_of_it() {
    for branches in [false, true] {
        for window in [1, 8] {
            let pages = Pages { branches, ..Pages::chain(9, fails(3, 2, busy)) };
            let outcome = drain(pages.read().window(window).records()).await;
            assert_eq!(outcome.monitor.progress().retries, 2);
            assert_eq!(outcome.monitor.progress().requests, 11);
            assert_eq!(outcome.whole(), Pages::records_of(9));
            let mut asked = pages.asked();
            asked.sort_unstable();
            assert_eq!(asked, [1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_made_again_just_as_it_was() {
    let service = Faulty::new(Alloy::new(1).records(95), |n, _| {
        (n == 3 || n == 4).then(|| answer(500, &[], ""))
    });
    let records = drain(contacts(&service).records()).await.whole();
    assert!(records.into_iter().map(|contact| contact.id).eq(0..95));
    let bodies = service.bodies();
    assert_eq!(bodies.len(), 12);
    assert_eq!(bodies[2]["input"], serde_json::json!({"limit": 10, "offset": 20}));
    assert!(bodies[2] == bodies[3] && bodies[3] == bodies[4]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_is_made_again_and_each_association_comes_once() {
    for window in [1, 8] {
        let hubspot = HubSpot::new(1).objects(90).pages(|index| index % 4);
        let service =
            Faulty::new(hubspot.clone(), |n, _| (n % 3 == 0).then(|| answer(502, &[], "<html>")));
        let associations = companies(&hubspot, 10, service.transport());
        let records = associations.read().window(window).records();
        assert_eq!(read_companies(records).await, all_of(&hubspot));
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_for_good_leaves_those_before_it_and_a_checkpoint_for_the_remaining_ones()
{
    for branches in [false, true] {
        for window in [1, 8] {
            let pages = Pages { branches, ..Pages::chain(9, fails(3, 8, busy)) };
            let outcome = drain(pages.read().window(window).records()).await;
            assert_eq!(outcome.records, Pages::records_of(2));
            assert_eq!(outcome.monitor.progress().stop, Some(StopReason::Failed));
            let error = outcome.error();
            assert_eq!((error.attempts(), error.page(), error.cursor()), (8, Some(3), Some("3")));

            let remaining = pages.read().window(window).resume(error.checkpoint().unwrap().clone());
            let remaining = drain(remaining.records()).await.whole();
            assert_eq!(remaining, Pages::records_of(9)[4..]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_vendor_that_fails_for_good_leaves_a_checkpoint_for_the_remaining_ones() {
    let service = Faulty::new(Alloy::new(1).records(95), |n, _| {
        ((3..=10).contains(&n)).then(|| answer(500, &[], ""))
    });
    let action = contacts(&service);
    let outcome = drain(action.records()).await;
    assert!(outcome.records.iter().map(|contact| contact.id).eq(0..20));
    let error = outcome.error();
    assert_eq!((error.attempts(), error.page(), service.requests()), (8, Some(3), 10));
    let remaining = action.read().resume(error.checkpoint().unwrap().clone()).records();
    assert!(drain(remaining).await.whole().into_iter().map(|contact| contact.id).eq(20..95));

    let hubspot = HubSpot::new(1).objects(40);
    let service =
        Faulty::new(hubspot.clone(), |n, _| ((3..=10).contains(&n)).then(|| answer(500, &[], "")));
    let associations = companies(&hubspot, 10, service.transport());
    let outcome = drain(associations.records()).await;
    let mut all = outcome.records.iter().map(told).collect::<Vec<_>>();
    assert_eq!(all.len(), 40);
    let checkpoint = outcome.error().checkpoint().unwrap().clone();
    all.extend(read_companies(associations.read().resume(checkpoint).records()).await);
    all.sort_unstable();
    assert_eq!(all, all_of(&hubspot));
}
