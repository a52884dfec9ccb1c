use datafusion::arrow::datatypes::{Field, Schema};
use pagestream::{Error, ExposeSecret, Page, Paginator, Read, Source, async_trait};
use pagestream_datafusion::{
    Condition, Connector, Environment, Pushdown, Request, Table, schema_of,
};
use serde::{Deserialize, Serialize};

use super::service::{Asked, Row, Service, matches};

/// The rows of a service.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rows {
    service: u64,
    kind: Kind,
    selects_fields: bool,
    secret: Option<String>,
    amounts_are_there: bool,
    sets_failures_aside: bool,
}

/// What the service makes of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Exact,
    /// A third of the rows come anyway.
    Inexact,
    Unsupported,
    /// It says that it is exact, and compares as it must not.
    Wrong,
}

impl Rows {
    pub(crate) fn of(service: &Service) -> Self {
        Self {
            service: service.number(),
            kind: Kind::Unsupported,
            selects_fields: false,
            secret: None,
            amounts_are_there: false,
            sets_failures_aside: false,
        }
    }

    pub(crate) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn selecting_fields(self) -> Self {
        Self { selects_fields: true, ..self }
    }

    /// Its schema says that each row has an amount.
    pub(crate) fn with_amounts(self) -> Self {
        Self { amounts_are_there: true, ..self }
    }

    /// It sets failures aside by itself.
    pub(crate) fn setting_failures_aside(self) -> Self {
        Self { sets_failures_aside: true, ..self }
    }

    /// It asks its environment for this secret.
    pub(crate) fn secret(self, name: &str) -> Self {
        Self { secret: Some(name.to_owned()), ..self }
    }

    pub(crate) fn table(self) -> Table {
        Table::new(self).unwrap()
    }
}

#[async_trait]
impl Connector for Rows {
    const NAME: &'static str = "rows";
    type Paginator = RowPages;

    fn schema(&self) -> Result<Schema, Error> {
        let schema = schema_of::<Row>()?;
        let field = |field: &Field| {
            let is_there = self.amounts_are_there && field.name() == "amount";
            field.clone().with_nullable(field.is_nullable() && !is_there)
        };
        Ok(Schema::new(schema.fields().iter().map(|it| field(it)).collect::<Vec<_>>()))
    }

    fn paginator(&self, request: &Request, environment: &Environment) -> Result<RowPages, Error> {
        let secret = self.secret.as_deref().map(|name| environment.secret(name)).transpose()?;
        let secret = secret.map_or_else(String::new, |secret| secret.expose_secret().to_owned());
        let service = Service::numbered(self.service);
        Ok(RowPages { service, kind: self.kind, request: request.clone(), secret })
    }

    fn pushdown(&self, _: &Condition) -> Pushdown {
        match self.kind {
            Kind::Exact | Kind::Wrong => Pushdown::Exact,
            Kind::Inexact => Pushdown::Inexact,
            Kind::Unsupported => Pushdown::Unsupported,
        }
    }

    fn selects_fields(&self) -> bool {
        self.selects_fields
    }

    fn options<S: Source>(&self, read: Read<S>) -> Read<S> {
        if self.sets_failures_aside { read.set_failures_aside() } else { read }
    }

    async fn total(&self, paginator: &RowPages) -> Result<Option<u64>, Error> {
        Ok(Some(paginator.service.rows().len() as u64))
    }
}

pub(crate) struct RowPages {
    service: Service,
    kind: Kind,
    request: Request,
    secret: String,
}

/// From where to where, and whether nothing of it was read.
type Range = (u64, u64, bool);

impl RowPages {
    fn passes(&self, row: &Row) -> bool {
        self.request.conditions.iter().all(|condition| match self.kind {
            Kind::Exact => matches(condition, row),
            Kind::Inexact => matches(condition, row) || row.id.is_multiple_of(3),
            Kind::Wrong => matches(condition, row) && !row.id.is_multiple_of(3),
            Kind::Unsupported => panic!("a condition that nobody takes: {condition}"),
        })
    }
}

#[async_trait]
impl Paginator for RowPages {
    type Record = Row;
    type Cursor = Range;

    fn start(&self) -> Range {
        (0, u64::MAX, true)
    }

    async fn fetch(&self, (start, end, begins): Range) -> Result<Page<Row, Range>, Error> {
        let request = self.request.clone();
        let asked = Asked { start, begins, request, secret: self.secret.clone() };
        let (mut rows, failures, total) =
            self.service.page(asked, end, |row| self.passes(row)).await?;
        if let Some(fields) = &self.request.fields {
            let has = |name| fields.iter().any(|field| field == name);
            for row in &mut rows {
                row.amount.take_if(|_| !has("amount"));
                row.city.take_if(|_| !has("city"));
                row.open.take_if(|_| !has("open"));
            }
        }
        let next = start + self.service.page_size();
        let next = (next < end.min(total)).then_some((next, end, false));
        let page = Page::new(rows, next);
        Ok(failures.into_iter().fold(page, |page, error| page.with_failure(None, error)))
    }

    fn identity(&self) -> String {
        format!("rows of {} where {:?}", self.service.number(), self.request)
    }

    fn split_cursor(&self, cursor: &Range, parts: usize, total: Option<u64>) -> Vec<Range> {
        let (Some(total), (0, u64::MAX, true)) = (total, *cursor) else { return vec![*cursor] };
        let length = total.div_ceil(parts as u64).max(1).next_multiple_of(self.service.page_size());
        let mut split = Vec::new();
        let mut start = 0;
        while start + length < total {
            split.push((start, start + length, true));
            start += length;
        }
        split.push((start, u64::MAX, true));
        split
    }
}
