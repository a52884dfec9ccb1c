use async_trait::async_trait;
use datafusion::{arrow::datatypes::Schema, logical_expr::TableProviderFilterPushDown as Pushdown};
use pagestream::{Error, Paginator, PaginatorExt, Read, Source};
use serde::{Serialize, de::DeserializeOwned};

use crate::{condition::Condition, environment::Environment, request::Request};

/// How a table of a service is read: what a [`Table`](crate::Table) is made of.
///
/// The value itself is the spec of the table: what a reader must know, such as a path and the
/// name of an account. It travels with a plan, as JSON. **It holds no credentials**: those are
/// asked of the [`Environment`] of the process that reads.
///
/// ```
/// use datafusion::arrow::datatypes::Schema;
/// use pagestream::{Error, hubspot::Objects};
/// use pagestream_datafusion::{Connector, Environment, Request, schema_of};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Deal {
///     id: String,
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Deals;
///
/// impl Connector for Deals {
///     const NAME: &'static str = "deals";
///     type Paginator = Objects<Deal>;
///
///     fn schema(&self) -> Result<Schema, Error> {
///         schema_of::<Deal>()
///     }
///
///     fn paginator(&self, _: &Request, environment: &Environment) -> Result<Objects<Deal>, Error> {
///         use pagestream::ExposeSecret;
///         let token = environment.secret("HUBSPOT_TOKEN")?;
///         Objects::builder("deals").token(token.expose_secret()).build()
///     }
/// }
/// # let environment = Environment::new().with_secret("HUBSPOT_TOKEN", "pat-na1-...");
/// # Deals.schema()?;
/// # let _ = Deals.paginator(&Request::default(), &environment);
/// # Ok::<(), Error>(())
/// ```
#[async_trait]
pub trait Connector: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name by which an executor finds this type: [`Connectors::with`](crate::Connectors::with).
    const NAME: &'static str;

    /// What reads the records. A record is a struct or a map, whose fields are the columns.
    type Paginator: Paginator<Record: Serialize> + 'static;

    /// The columns of the table: given, or derived from the type of a record by
    /// [`schema_of`](crate::schema_of). Where a record lacks a column, it is null.
    ///
    /// # Errors
    ///
    /// If it can't be derived.
    fn schema(&self) -> Result<Schema, Error>;

    /// The paginator that reads what is asked for, with the credentials of this process. Its
    /// [identity](Paginator::identity) tells readings with different conditions apart, as that
    /// of each built-in paginator does.
    ///
    /// # Errors
    ///
    /// If it can't be built, or the process has no credentials.
    fn paginator(
        &self,
        request: &Request,
        environment: &Environment,
    ) -> Result<Self::Paginator, Error>;

    /// How a condition of a query is taken: `Unsupported` by default.
    ///
    /// - `Exact`: the service gives the rows for which it holds, and no others. The engine does
    ///   not look again. A wrong `Exact` loses rows, or gives too many: mind nulls, letters in
    ///   upper case, and rounding.
    /// - `Inexact`: the service gives at least the rows for which it holds. The engine leaves
    ///   out the others.
    /// - `Unsupported`: the request has nothing of it. The engine filters.
    ///
    /// A condition that is not `Unsupported` is in [`Request::conditions`].
    fn pushdown(&self, condition: &Condition) -> Pushdown {
        let _ = condition;
        Pushdown::Unsupported
    }

    /// Whether the paginator asks for the fields that a query needs, and no others: no by
    /// default. The fields are in [`Request::fields`] then, and a record may lack the others.
    ///
    /// Columns that a query does not need are never built, whatever this says.
    fn selects_fields(&self) -> bool {
        false
    }

    /// How many records there are, as far as can be known: it is what offsets and page
    /// numbers are [split](PaginatorExt::split) by, and the planner's estimate of the rows.
    /// `None` by default. [`first_total`](crate::first_total) asks the service.
    ///
    /// # Errors
    ///
    /// If the service was asked, and failed.
    async fn total(&self, paginator: &Self::Paginator) -> Result<Option<u64>, Error> {
        let _ = paginator;
        Ok(None)
    }

    /// Sets the options of each part's reading that a [`Table`](crate::Table) has no setter
    /// for, such as how a page that failed is asked for again. By default all are as they are.
    ///
    /// A limit that is set here, such as [`Read::max_pages`], cuts each part, and the query takes
    /// what comes for all.
    fn options<S: Source>(&self, read: Read<S>) -> Read<S> {
        read
    }
}

/// The total that the service gives with its first page: one request, each time that a query is
/// planned. `None` if it gives none.
///
/// # Errors
///
/// If the page can't be read.
pub async fn first_total<P: Paginator>(paginator: &P) -> Result<Option<u64>, Error> {
    let mut pages = paginator.read().max_pages(1).pages();
    futures::TryStreamExt::try_next(&mut pages).await?;
    Ok(pages.monitor().progress().total)
}
