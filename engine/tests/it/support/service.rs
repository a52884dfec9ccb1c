use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use pagestream::{Error, ErrorKind};
use pagestream_datafusion::{Comparison, Condition, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<bool>,
}

impl Row {
    pub(crate) fn new(id: u64) -> Self {
        let city = (!id.is_multiple_of(5)).then(|| ["Oslo", "oslo", "Bergen"][(id % 3) as usize]);
        let (amount, open) = (i64::try_from(id % 7).ok(), Some(id.is_multiple_of(2)));
        Self { id, amount, city: city.map(str::to_owned), open }
    }
}

/// A page that was asked for: where it begins, and whether its part begins there.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) start: u64,
    pub(crate) begins: bool,
    pub(crate) request: Request,
    pub(crate) secret: String,
}

/// A service in memory. A connector finds it by its number, also where the connector has
/// travelled.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    number: u64,
    rows: Vec<Row>,
    page_size: u64,
    asked: Mutex<Vec<Asked>>,
    /// The errors of pages, by their start.
    errors: Mutex<BTreeMap<u64, Vec<Error>>>,
    /// The start of the page that is never answered.
    hangs_at: Option<u64>,
    latency: Duration,
    /// Ids whose rows fail alone.
    failing: Vec<u64>,
}

static SERVICES: LazyLock<Mutex<BTreeMap<u64, Service>>> = LazyLock::new(Mutex::default);

impl Service {
    pub(crate) fn of(rows: impl IntoIterator<Item = Row>, page_size: u64) -> Self {
        Self::add(|number| Inner {
            number,
            rows: rows.into_iter().collect(),
            page_size,
            asked: Mutex::default(),
            errors: Mutex::default(),
            hangs_at: None,
            latency: Duration::ZERO,
            failing: Vec::new(),
        })
    }

    pub(crate) fn new(rows: u64, page_size: u64) -> Self {
        Self::of((0..rows).map(Row::new), page_size)
    }

    fn add(inner: impl FnOnce(u64) -> Inner) -> Self {
        let mut services = SERVICES.lock().unwrap();
        let number = services.len() as u64;
        let service = Self(Arc::new(inner(number)));
        services.insert(number, service.clone());
        service
    }

    /// The same with a change, before anything is asked.
    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let Inner { rows, page_size, hangs_at, latency, failing, .. } = &*self.0;
        let mut changed = Inner {
            number: 0,
            rows: rows.clone(),
            page_size: *page_size,
            asked: Mutex::default(),
            errors: Mutex::default(),
            hangs_at: *hangs_at,
            latency: *latency,
            failing: failing.clone(),
        };
        change(&mut changed);
        Self::add(|number| Inner { number, ..changed })
    }

    pub(crate) fn hanging_at(self, start: u64) -> Self {
        self.with(|service| service.hangs_at = Some(start))
    }

    pub(crate) fn latency(self, latency: Duration) -> Self {
        self.with(|service| service.latency = latency)
    }

    pub(crate) fn failing(self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.with(|service| service.failing = ids.into_iter().collect())
    }

    /// The page at this start fails with this error, once.
    pub(crate) fn fail_once(&self, start: u64, error: Error) {
        self.0.errors.lock().unwrap().entry(start).or_default().push(error);
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    pub(crate) fn numbered(number: u64) -> Self {
        SERVICES.lock().unwrap()[&number].clone()
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.0.rows
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.0.page_size
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.asked.lock().unwrap().clone()
    }

    /// How often each part was begun, by its start.
    pub(crate) fn parts_begun(&self) -> BTreeMap<u64, usize> {
        let mut begun = BTreeMap::new();
        for asked in self.asked().iter().filter(|asked| asked.begins) {
            *begun.entry(asked.start).or_default() += 1;
        }
        begun
    }

    /// The rows from `start` on, of those that pass.
    pub(crate) async fn page(
        &self,
        asked: Asked,
        end: u64,
        passes: impl Fn(&Row) -> bool,
    ) -> Result<(Vec<Row>, Vec<Error>, u64), Error> {
        let start = asked.start;
        self.0.asked.lock().unwrap().push(asked);
        if self.0.hangs_at == Some(start) {
            std::future::pending::<()>().await;
        }
        if !self.0.latency.is_zero() {
            tokio::time::sleep(self.0.latency).await;
        }
        if let Some(error) = self.0.errors.lock().unwrap().get_mut(&start).and_then(Vec::pop) {
            return Err(error);
        }
        let passing = || self.0.rows.iter().filter(|row| passes(row));
        let size = self.0.page_size.min(end - start);
        let page =
            passing().skip(usize::try_from(start).unwrap()).take(usize::try_from(size).unwrap());
        let (failing, rows) =
            page.cloned().partition::<Vec<_>, _>(|row| self.0.failing.contains(&row.id));
        let rejected = |row: Row| {
            Error::new(ErrorKind::Rejected, "no access")
                .with_status(403)
                .with_ids([row.id.to_string()])
        };
        Ok((rows, failing.into_iter().map(rejected).collect(), passing().count() as u64))
    }
}

/// Whether a condition holds for a row, as in SQL.
pub(crate) fn matches(condition: &Condition, row: &Row) -> bool {
    let row = serde_json::to_value(row).unwrap();
    let cell = row.get(&condition.column).filter(|cell| !cell.is_null());
    let Some(cell) = cell else { return condition.comparison == Comparison::IsNull };
    let order = |value: &Value| match (cell, value) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => a.as_i64().unwrap().cmp(&b.as_i64().unwrap()),
    };
    let first = || order(condition.value().unwrap());
    match condition.comparison {
        Comparison::Equal => first().is_eq(),
        Comparison::NotEqual => first().is_ne(),
        Comparison::Less => first().is_lt(),
        Comparison::LessOrEqual => first().is_le(),
        Comparison::Greater => first().is_gt(),
        Comparison::GreaterOrEqual => first().is_ge(),
        Comparison::In => condition.values.iter().any(|value| order(value).is_eq()),
        Comparison::IsNull => false,
        Comparison::IsNotNull => true,
        other => panic!("unknown comparison {other:?}"),
    }
}
