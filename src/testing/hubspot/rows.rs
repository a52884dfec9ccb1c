//! The objects, which may change while they are read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use super::HubSpot;
use crate::testing::service::mix;

/// The first id. Every seventh id is above 2^53.
pub(super) const FIRST_ID: u64 = 515_690_208_000;
pub(super) const ABOVE_2_TO_53: u64 = 1 << 53;

/// When the first object was created, in milliseconds since 1970.
const FIRST_TIME: u64 = 1_726_141_000_267;

pub(super) type Properties = BTreeMap<String, String>;

/// The objects of a service and its clones, made when they are needed first.
#[derive(Clone, Default)]
pub(super) struct SharedRows(Arc<Mutex<Option<Rows>>>);

/// All objects by their ids.
pub(super) struct Rows {
    pub(super) by_id: BTreeMap<u64, Row>,
    /// How often they were changed: the service's clock, in seconds.
    changes: u64,
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) properties: Properties,
    pub(super) archived: bool,
}

pub(super) fn id_at(index: u64) -> u64 {
    let id = FIRST_ID + index;
    if index % 7 == 6 { id | ABOVE_2_TO_53 } else { id }
}

/// What an object has by default.
pub(super) fn some_properties(index: usize) -> Properties {
    let amount = mix(7, index as u64) % 100_000;
    [("dealname", format!("Deal {index}")), ("amount", amount.to_string())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// A time so many seconds after the first one.
fn time(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(FIRST_TIME + seconds * 1_000);
    humantime::format_rfc3339_millis(time).to_string()
}

impl Row {
    fn new(id: u64, properties: Properties, seconds: u64) -> Self {
        let mut row = Self { properties, archived: false };
        let own = [
            ("hs_object_id", id.to_string()),
            ("createdate", time(seconds)),
            ("hs_lastmodifieddate", time(seconds)),
        ];
        for (name, value) in own {
            row.properties.entry(name.to_owned()).or_insert(value);
        }
        row
    }

    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl Rows {
    fn new(service: &HubSpot) -> Self {
        let rows = (0..service.objects).map(|index| {
            let properties = (service.properties)(usize::try_from(index).unwrap_or(usize::MAX));
            (id_at(index), Row::new(id_at(index), properties, index))
        });
        Self { by_id: rows.collect(), changes: service.objects }
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Row)) -> bool {
        let Some(row) = self.by_id.get_mut(&id) else { return false };
        self.changes += 1;
        change(row);
        row.properties.insert("hs_lastmodifieddate".to_owned(), time(self.changes));
        true
    }
}

/// What happens to objects while they are read.
impl HubSpot {
    /// Creates an object with an id above all others, and returns the id.
    pub fn create_object<P>(&self, properties: P) -> u64
    where
        P: IntoIterator<Item = (&'static str, String)>,
    {
        let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.with_rows(|rows| {
            let id = rows.by_id.last_key_value().map_or(FIRST_ID, |(id, _)| id + 1);
            rows.changes += 1;
            rows.by_id.insert(id, Row::new(id, properties.collect(), rows.changes));
            id
        })
    }

    /// Sets a property of an object. Its `hs_lastmodifieddate` is later than all others
    /// then. Returns whether there is such an object.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn update_object(&self, id: u64, property: &str, value: &str) -> bool {
        self.with_rows(|rows| {
            rows.change(id, |row| {
                row.properties.insert(property.to_owned(), value.to_owned());
            })
        })
    }

    /// Archives an object: no list, search or batch read has it then, unless archived objects
    /// are asked for. Returns whether there is such an object.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn archive_object(&self, id: u64) -> bool {
        self.with_rows(|rows| rows.change(id, |row| row.archived = true))
    }

    pub(super) fn with_rows<T>(&self, with: impl FnOnce(&mut Rows) -> T) -> T {
        let mut rows: MutexGuard<'_, Option<Rows>> =
            self.rows.0.lock().unwrap_or_else(PoisonError::into_inner);
        with(rows.get_or_insert_with(|| Rows::new(self)))
    }
}
