//! The search of objects.

use std::{
    cmp::Ordering,
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::{
    HubSpot,
    list::Fields,
    rows::Row,
    wire::{SECONDLY_LIMIT, invalid, invalid_json},
};
use crate::testing::service;

const MAX_OBJECTS: usize = 200;
const MAX_RESULTS: usize = 10_000;
const MAX_GROUPS: usize = 5;
const MAX_FILTERS_OF_GROUP: usize = 10;
const MAX_FILTERS: usize = 25;
const MAX_IN_A_SECOND: usize = 5;

/// When the searches of the last second were made.
#[derive(Clone, Default)]
pub(super) struct Searches(Arc<Mutex<VecDeque<Instant>>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    filter_groups: Vec<Group>,
    #[serde(default)]
    sorts: Vec<Sort>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Filter {
    property_name: String,
    operator: Operator,
    #[serde(default)]
    value: Option<Comparable>,
    #[serde(default)]
    high_value: Option<Comparable>,
    #[serde(default)]
    values: Vec<Comparable>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Operator {
    Between,
    ContainsToken,
    Eq,
    Gt,
    Gte,
    HasProperty,
    In,
    Lt,
    Lte,
    Neq,
    NotContainsToken,
    NotHasProperty,
    NotIn,
}

#[derive(Deserialize)]
#[serde(from = "WrittenSort")]
struct Sort {
    property_name: String,
    direction: Direction,
}

/// HubSpot's own clients write a text: `createdate`, or `-createdate` to descend.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenSort {
    Text(String),
    Object(SortObject),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SortObject {
    property_name: String,
    #[serde(default)]
    direction: Direction,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Direction {
    #[default]
    Ascending,
    Descending,
}

impl From<WrittenSort> for Sort {
    fn from(sort: WrittenSort) -> Self {
        match sort {
            WrittenSort::Text(text) => match text.strip_prefix('-') {
                Some(name) => {
                    Self { property_name: name.to_owned(), direction: Direction::Descending }
                }
                None => Self { property_name: text, direction: Direction::Ascending },
            },
            WrittenSort::Object(SortObject { property_name, direction }) => {
                Self { property_name, direction }
            }
        }
    }
}

impl Searches {
    /// Whether one more is allowed now. Then it counts.
    fn allow(&self) -> bool {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut searches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        searches.retain(|before| now.duration_since(*before) < second);
        let is_allowed = searches.len() < MAX_IN_A_SECOND;
        if is_allowed {
            searches.push_back(now);
        }
        is_allowed
    }
}

impl HubSpot {
    /// Answers a search.
    pub(super) fn search_objects(&self, _: &str, request: &Request<Bytes>) -> Response<Bytes> {
        if self.searches.as_ref().is_some_and(|searches| !searches.allow()) {
            let mut response = service::json(StatusCode::TOO_MANY_REQUESTS, &());
            *response.body_mut() = Bytes::from_static(SECONDLY_LIMIT.as_bytes());
            return response;
        }
        let search = match serde_json::from_slice::<Search>(request.body()) {
            Ok(search) => search,
            Err(reason) => return invalid_json(&reason),
        };
        let after = search.after.as_deref().map_or(Ok(0), str::parse::<usize>);
        let (limit, after) = match (search.limit.unwrap_or(10), after) {
            (limit, _) if !(1..=MAX_OBJECTS).contains(&limit) => {
                return invalid(&format!("The limit {limit} is not from 1 to {MAX_OBJECTS}"));
            }
            (limit, Ok(after)) if after.saturating_add(limit) > MAX_RESULTS => {
                return invalid(&format!("A search gives at most {MAX_RESULTS} results"));
            }
            (limit, Ok(after)) => (limit, after),
            (_, Err(_)) => return invalid("Unknown paging cursor"),
        };
        if let Err(message) = search.check() {
            return invalid(message);
        }
        let fields = Fields::of(search.properties.clone());
        let (results, total) = self.with_rows(|rows| {
            let found = rows.by_id.iter().filter(|(_, row)| !row.archived && search.finds(row));
            let mut found = found.collect::<Vec<_>>();
            if let Some(Sort { property_name, direction }) = search.sorts.first() {
                found
                    .sort_by_cached_key(|(_, row)| row.property(property_name).map(Comparable::of));
                if *direction == Direction::Descending {
                    found.reverse();
                }
            }
            let page = found.iter().skip(after).take(limit);
            let results = page.map(|(id, row)| self.object(**id, row, &fields));
            (results.collect::<Vec<_>>(), found.len())
        });
        let end = after + results.len();
        let mut body = json!({"total": total, "results": results});
        if end < total {
            body["paging"] = json!({"next": {"after": end.to_string()}});
        }
        service::json(StatusCode::OK, &body)
    }
}

impl Search {
    fn check(&self) -> Result<(), &'static str> {
        let filters = || self.filter_groups.iter().map(|group| group.filters.len());
        if self.filter_groups.len() > MAX_GROUPS {
            return Err("Too many filter groups");
        }
        if filters().any(|count| count > MAX_FILTERS_OF_GROUP) {
            return Err("Too many filters in a group");
        }
        if filters().sum::<usize>() > MAX_FILTERS {
            return Err("Too many filters");
        }
        if self.sorts.len() > 1 {
            return Err("Only one sort is supported");
        }
        if self.filter_groups.iter().flat_map(|group| &group.filters).any(|it| !it.is_complete()) {
            return Err("A filter has not the values that its operator needs");
        }
        Ok(())
    }

    fn finds(&self, row: &Row) -> bool {
        let has = |text: &str| {
            let text = text.to_lowercase();
            row.properties.values().any(|value| value.to_lowercase().contains(&text))
        };
        let matches = |group: &Group| group.filters.iter().all(|filter| filter.matches(row));
        (self.filter_groups.is_empty() || self.filter_groups.iter().any(matches))
            && self.query.as_deref().is_none_or(has)
    }
}

impl Filter {
    fn is_complete(&self) -> bool {
        match self.operator {
            Operator::HasProperty | Operator::NotHasProperty => true,
            Operator::In | Operator::NotIn => !self.values.is_empty(),
            Operator::Between => self.value.is_some() && self.high_value.is_some(),
            _ => self.value.is_some(),
        }
    }

    fn matches(&self, row: &Row) -> bool {
        let Some(value) = row.property(&self.property_name) else {
            return matches!(
                self.operator,
                Operator::NotHasProperty
                    | Operator::Neq
                    | Operator::NotIn
                    | Operator::NotContainsToken
            );
        };
        let own = Comparable::of(value);
        let order = self.value.as_ref().map_or(Ordering::Equal, |value| own.cmp(value));
        let is_below = || self.high_value.as_ref().is_some_and(|high| own <= *high);
        let has_token = || {
            let mut tokens = value.split(|it: char| !it.is_alphanumeric()).map(Comparable::of);
            tokens.any(|token| self.value.as_ref() == Some(&token))
        };
        match self.operator {
            Operator::HasProperty => true,
            Operator::NotHasProperty => false,
            Operator::Eq => order.is_eq(),
            Operator::Neq => order.is_ne(),
            Operator::Gt => order.is_gt(),
            Operator::Gte => order.is_ge(),
            Operator::Lt => order.is_lt(),
            Operator::Lte => order.is_le(),
            Operator::Between => order.is_ge() && is_below(),
            Operator::In => self.values.contains(&own),
            Operator::NotIn => !self.values.contains(&own),
            Operator::ContainsToken => has_token(),
            Operator::NotContainsToken => !has_token(),
        }
    }
}

/// A value as the service compares it: a number, a time in milliseconds, or a text.
#[derive(PartialEq, Deserialize)]
#[serde(from = "String")]
enum Comparable {
    Whole(i64),
    Fraction(f64),
    Text(String),
}

impl Comparable {
    fn of(value: &str) -> Self {
        if let Ok(whole) = value.parse() {
            return Self::Whole(whole);
        }
        if let Ok(fraction) = value.parse() {
            return Self::Fraction(fraction);
        }
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        match humantime::parse_rfc3339(value).ok().and_then(since) {
            Some(since) => Self::Whole(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            None => Self::Text(value.to_lowercase()),
        }
    }
}

impl From<String> for Comparable {
    fn from(value: String) -> Self {
        Self::of(&value)
    }
}

impl Eq for Comparable {}

impl PartialOrd for Comparable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Comparable {
    #[allow(clippy::cast_precision_loss, reason = "beside a fraction, nothing is exact")]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Text(_), _) => Ordering::Greater,
            (_, Self::Text(_)) => Ordering::Less,
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Whole(one), Self::Fraction(other)) => (*one as f64).total_cmp(other),
            (Self::Fraction(one), Self::Whole(other)) => one.total_cmp(&(*other as f64)),
            (Self::Fraction(one), Self::Fraction(other)) => one.total_cmp(other),
        }
    }
}
