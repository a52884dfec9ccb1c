//! Which requests meet a fault.

use std::time::Duration;

use pagestream::{
    Transport,
    testing::{Alloy, Fault, Faults},
};
use tokio::time::Instant;

use super::{Numbers, request};

/// The statuses of so many answers.
async fn statuses(service: &impl Transport, requests: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..requests {
        let response = service.send(request(&format!("/{number}"))).await.unwrap();
        statuses.push(response.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_script_tells_which_requests_meet_which_faults() {
    let faults = Faults::script([(4, Fault::status(504)), (2, Fault::status(502))]);
    let (service, clone) = (faults.on(Numbers), faults.on(Alloy::new(1)).clone());
    assert_eq!(statuses(&service, 3).await, [200, 502, 200]);
    // The count is that of all clones.
    assert_eq!(statuses(&clone, 1).await, [504]);
    assert_eq!(statuses(&service, 3).await, [200, 200, 200]);
    assert_eq!((faults.met(), faults.clone().met()), (2, 2));
}

#[tokio::test]
async fn a_rule_holds_each_time_and_goes_before_the_script() {
    let faults = Faults::script([(1, Fault::status(502)), (2, Fault::status(502))])
        .when(|request| request.uri().path() != "/1", Fault::status(413))
        .when(|_| true, Fault::status(500));
    assert_eq!(statuses(&faults.on(Numbers), 4).await, [413, 500, 413, 413]);
    assert_eq!(faults.met(), 4);
}

fn drawn(seed: u64) -> Faults {
    Faults::seeded(seed).one_in(3).of([429, 500, 503].map(Fault::status))
}

#[tokio::test]
async fn what_is_drawn_follows_from_the_seed() {
    let (one, again) = (drawn(7), drawn(7));
    let met = statuses(&one.on(Numbers), 300).await;
    assert_eq!(statuses(&again.on(Numbers), 300).await, met);
    assert_ne!(statuses(&drawn(8).on(Numbers), 300).await, met);
    for status in [200, 429, 500, 503] {
        assert!(met.contains(&status), "{status}");
    }
    let faults = met.iter().filter(|status| **status != 200).count();
    assert!((70..130).contains(&faults), "{faults} of 300 are not one in three");
    assert_eq!(one.met(), faults as u64);
}

#[tokio::test]
async fn one_in_0_and_nothing_to_draw_from_are_no_faults() {
    for faults in [drawn(7).one_in(0), drawn(7).of([])] {
        assert_eq!(statuses(&faults.on(Numbers), 100).await, [200; 100]);
        assert_eq!(faults.met(), 0);
    }
}

#[tokio::test]
async fn a_request_that_is_made_again_gets_through_in_the_end() {
    for at_most in [1, 3] {
        let service = drawn(7).one_in(1).in_a_row(at_most).on(Numbers);
        for path in ["/a", "/b", "/a"] {
            for _ in 0..at_most {
                assert_ne!(service.send(request(path)).await.unwrap().status(), 200);
                // Another one between them changes nothing.
                service.send(request("/other")).await.unwrap();
            }
            assert_eq!(service.send(request(path)).await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn what_is_given_twice_comes_twice_as_often() {
    let faults = drawn(7).one_in(1).of([429, 429, 503].map(Fault::status));
    let met = statuses(&faults.on(Numbers), 900).await;
    let busy = met.iter().filter(|status| **status == 503).count();
    assert!((240..360).contains(&busy), "{busy}");
}

#[tokio::test(start_paused = true)]
async fn jitter_is_a_time_by_chance_for_each_answer() {
    let most = Duration::from_secs(10);
    let service = Faults::script([]).jitter(most).on(Numbers);
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        service.send(request("/")).await.unwrap();
        times.push(start.elapsed());
    }
    // The clock of a test goes on in whole milliseconds.
    assert!(times.iter().all(|time| *time <= most + Duration::from_millis(2)), "{times:?}");
    assert!(times.iter().min() < Some(&Duration::from_secs(2)), "{times:?}");
    assert!(times.iter().max() > Some(&Duration::from_secs(8)), "{times:?}");
}
