use std::{
    cmp::Ordering,
    fmt::{self, Display, Formatter},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

/// The value of a property that objects are sorted by: a number, or a time in milliseconds
/// since 1970. It is a text that a filter takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SortKey(Box<str>);

impl SortKey {
    /// `None` for any other text: nobody knows how HubSpot sorts it.
    pub(super) fn of(value: &str) -> Option<Self> {
        if value.parse::<f64>().is_ok_and(f64::is_finite) {
            return Some(Self(value.into()));
        }
        let midnight = format!("{value}T00:00:00Z");
        let time = [value, &midnight].into_iter().find_map(|it| humantime::parse_rfc3339(it).ok());
        let since = time?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self(since.as_millis().to_string().into()))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let whole = |key: &Self| key.0.parse::<i128>().ok();
        if let (Some(one), Some(other)) = (whole(self), whole(other)) {
            return one.cmp(&other);
        }
        let number = |key: &Self| key.0.parse::<f64>().unwrap_or(f64::NAN);
        number(self).total_cmp(&number(other))
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
