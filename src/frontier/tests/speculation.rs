//! The rules of speculation, a test each.

use std::time::Instant;

use smallvec::smallvec;

use super::{
    super::{Frontier, PageShape},
    chain::Reading,
    deliver,
    offsets::{Beyond, Fault, LIMIT, Offset, SameStep, Service},
    send, window,
};

/// The offsets in flight, as pages.
fn in_flight(reading: &Reading<'_>) -> Vec<u64> {
    reading.in_flight.iter().map(|(_, offset)| offset.at / LIMIT).collect()
}

/// All in flight come, in their order, and what may be sent is sent. Gives the offsets
/// in flight, as pages.
fn round(reading: &mut Reading<'_>) -> Vec<u64> {
    for _ in 0..reading.in_flight.len() {
        reading.come(0, None);
    }
    reading.deliver_all();
    reading.send();
    in_flight(reading)
}

/// A reading with a window of 4 that has sent its first request.
fn begin(service: &Service) -> Reading<'_> {
    let mut reading = Reading::new(service, 4, &[0], 0);
    reading.send();
    assert_eq!(in_flight(&reading), [0], "the first page is fetched alone");
    reading
}

/// The same when speculative requests run: pages 1 to 4 are in flight.
fn running(service: &Service) -> Reading<'_> {
    let mut reading = begin(service);
    assert_eq!(round(&mut reading), [1, 2, 3, 4], "it teaches the step");
    reading
}

/// A service of so many full pages.
fn pages(pages: u64) -> Service {
    Service::even(pages * LIMIT)
}

#[test]
fn the_first_page_teaches_the_step_and_then_speculative_requests_fill_the_window() {
    let service = pages(20);
    let mut reading = running(&service);
    assert_eq!(round(&mut reading), [5, 6, 7, 8]);
    reading.run();
    assert_eq!(reading.requests.len(), 20 + 3);
}

#[test]
fn a_step_that_changes_discards_the_speculative_requests_and_they_grow_again() {
    let mut service = pages(40);
    service.odd.insert(2 * LIMIT, 3 * LIMIT);
    let mut reading = running(&service);
    // Page 2 leads to page 5; 3 and 4 were in vain.
    assert_eq!(
        round(&mut reading),
        [5, 8],
        "one speculative request, with the step that it learned"
    );
    assert_eq!(reading.discarded.len(), 2);
    assert_eq!(round(&mut reading), [6], "that was wrong, too");
    assert_eq!(round(&mut reading), [7, 8]);
    assert_eq!(round(&mut reading), [9, 10, 11]);
    assert_eq!(round(&mut reading), [12, 13, 14, 15], "as many as the window has");
    reading.run();
}

#[test]
fn a_clamped_service_is_predicted_by_its_own_step() {
    let service = Service { most: LIMIT / 2, ..pages(20) };
    let mut reading = begin(&service);
    round(&mut reading);
    assert_eq!(reading.requests, [0, 4, 8, 12, 16]);
    reading.run();
    assert_eq!(reading.discarded.len(), 3, "those beyond the end");
}

#[test]
fn a_short_page_that_leads_on_is_no_end() {
    let mut service = pages(10);
    service.odd.insert(3 * LIMIT, 1);
    running(&service).run();
}

#[test]
fn a_speculative_page_that_comes_before_it_is_confirmed_waits_and_is_not_asked_for_again() {
    let service = pages(10);
    let mut reading = running(&service);
    reading.come(3, None);
    reading.come(2, None);
    reading.deliver_all();
    assert_eq!(reading.delivered, LIMIT, "the first page alone");
    reading.come(0, None);
    reading.come(0, None);
    reading.deliver_all();
    assert_eq!(reading.delivered, 5 * LIMIT);
    assert_eq!(reading.requests.len(), 5);
    reading.run();
}

#[test]
fn the_failure_of_a_speculative_request_counts_when_it_is_confirmed() {
    let service = pages(10);
    let mut reading = running(&service);
    reading.come(1, Some(Fault::Busy));
    reading.send();
    assert_eq!(in_flight(&reading), [1, 3, 4], "nothing is speculative behind one that failed");
    reading.come(0, None);
    reading.send();
    assert!(in_flight(&reading).contains(&2), "it was right, and is made again");
    reading.run();
}

#[test]
fn the_failure_of_a_discarded_request_is_dropped() {
    let mut service = pages(10);
    service.odd.insert(LIMIT, 2 * LIMIT);
    let mut reading = running(&service);
    reading.come(1, Some(Fault::Fatal));
    reading.run();
    assert_eq!(reading.frontier.delayed(), 0);
}

#[test]
fn what_a_service_answers_beyond_its_end_is_dropped() {
    for beyond in [Beyond::Empty, Beyond::Error, Beyond::More] {
        let service = Service { beyond, ..pages(3) };
        let mut reading = running(&service);
        // What is beyond the end comes first.
        reading.come(3, None);
        reading.come(2, None);
        reading.run();
        assert!(reading.beyond() > 0, "{beyond:?}");
    }
}

#[test]
fn a_last_page_that_is_made_again_leaves_no_room_for_one_more_speculative_request() {
    let service = pages(2);
    for fault in [Fault::Busy, Fault::RateLimitedForASecond, Fault::TimedOut] {
        let mut reading = running(&service);
        reading.come(0, Some(fault));
        reading.run();
        assert!(reading.beyond() < 4, "{fault:?}: {:?}", reading.requests);
    }
}

#[test]
fn discarded_requests_in_flight_count_in_the_window() {
    let mut service = pages(20);
    service.odd.insert(LIMIT, 7 * LIMIT);
    let mut reading = running(&service);
    reading.come(0, None);
    reading.deliver_all();
    reading.send();
    assert_eq!(in_flight(&reading), [2, 3, 4, 8]);
    reading.come(0, None);
    reading.send();
    assert_eq!(in_flight(&reading).len(), 4);
    reading.run();
}

#[test]
fn a_total_ends_the_speculation_and_not_the_reading() {
    let right = Service { total: Some(6 * LIMIT), ..pages(6) };
    let mut reading = running(&right);
    assert_eq!(round(&mut reading), [5]);
    reading.run();
    assert_eq!(reading.requests.len(), 6);

    let too_small = Service { total: Some(3 * LIMIT), ..pages(6) };
    let mut reading = begin(&too_small);
    assert_eq!(round(&mut reading), [1, 2]);
    assert_eq!(round(&mut reading), [3]);
    reading.run();
    assert_eq!(reading.requests.len(), 6);
}

#[test]
fn a_service_that_asks_for_fewer_requests_gets_half_as_many_and_then_one_more_at_a_time() {
    let service = pages(100);
    let mut reading = running(&service);
    reading.come(0, Some(Fault::RateLimited));
    reading.come(0, None);
    reading.send();
    assert_eq!(in_flight(&reading), [3, 4], "half as many");
    reading.come(0, None);
    reading.send();
    assert_eq!(in_flight(&reading), [4, 1, 5], "two pages came");
    assert_eq!(round(&mut reading), [6, 7, 8, 9], "and three");
    reading.run();
}

#[test]
fn a_service_that_contradicts_every_prediction_is_mostly_read_without_speculation() {
    let mut service = Service::even(400);
    service.odd = (0..400).map(|at| (at, 1 + at % 2)).collect();
    let mut reading = begin(&service);
    reading.run();
    let pages = reading.requests.len() - reading.discarded.len();
    assert!(reading.discarded.len() < 20, "{} of {pages}", reading.discarded.len());
}

#[test]
fn a_cursor_to_which_no_page_led_teaches_no_step() {
    let offset = |page| Offset { at: page * LIMIT, limit: LIMIT };
    let mut frontier = Frontier::new(window(3), [0, 1, 2, 3].map(offset));
    let now = Instant::now();
    let next = |frontier: &mut Frontier<_>| send(frontier, now, &SameStep);
    for id in 0..3 {
        assert_eq!(next(&mut frontier), Some((id, offset(id))));
    }
    let end = |frontier: &mut Frontier<_>, id| {
        frontier.page(id, smallvec![], PageShape::default(), None, || now, &SameStep);
    };
    end(&mut frontier, 0);
    deliver(&mut frontier);
    assert_eq!(next(&mut frontier), Some((3, offset(3))));
    end(&mut frontier, 2);
    assert_eq!(next(&mut frontier), None, "page 0 did not lead to page 3");
}
