use std::time::Duration;

use http::HeaderMap;

/// A longer interval is no interval: a point in time as a number, most likely.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// What a service says is left of its own budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    pub(super) requests: u64,
    /// How many there are in all, where the service says so.
    pub(super) max: Option<u64>,
    /// In how long there are as many again.
    pub(super) interval: Duration,
}

/// The names of the headers that say so: what is left, of how many, and the interval.
struct Names {
    requests: &'static str,
    max: &'static str,
    interval: &'static str,
    unit: fn(u64) -> Duration,
}

const NAMES: [Names; 3] = [
    Names {
        requests: "x-hubspot-ratelimit-remaining",
        max: "x-hubspot-ratelimit-max",
        interval: "x-hubspot-ratelimit-interval-milliseconds",
        unit: Duration::from_millis,
    },
    Names {
        requests: "ratelimit-remaining",
        max: "ratelimit-limit",
        interval: "ratelimit-reset",
        unit: Duration::from_secs,
    },
    Names {
        requests: "x-ratelimit-remaining",
        max: "x-ratelimit-limit",
        interval: "x-ratelimit-reset",
        unit: Duration::from_secs,
    },
];

impl Remaining {
    /// By the headers of a response; `None` where they don't say, or nothing that
    /// can be understood.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        NAMES.iter().find_map(|names| {
            let requests = number(names.requests)?;
            let interval = (names.unit)(number(names.interval)?);
            (interval <= LONGEST_INTERVAL).then(|| Self {
                requests,
                max: number(names.max),
                interval,
            })
        })
    }
}
