use std::time::Duration;

use http::HeaderMap;

/// The longest interval. A longer one is most likely a point in time.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How much of its own budget a service says to remain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    pub(super) requests: u64,
    /// The size of the whole budget, if the service tells it.
    pub(super) max: Option<u64>,
    /// After which time the budget is full again.
    pub(super) interval: Duration,
}

/// The names of the headers: the remaining requests, the maximum, and the interval.
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
    /// Reads the headers of a response. `None` if they are missing or can't be
    /// understood.
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
