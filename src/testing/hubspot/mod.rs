mod association_list;
mod associations;
mod flaw;
mod list;
mod route;
mod rows;
mod search;
mod wire;

use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

pub use self::flaw::HubSpotFlaw;
use self::{
    route::Route,
    rows::{ABOVE_2_TO_53, FIRST_ID, Properties, SharedRows, id_at},
    search::Searches,
    wire::error,
};
use super::{
    faults::Fault,
    service::{Log, Service, bearer, emulation, is_json, json, path},
};

/// An emulation of HubSpot's CRM, under the paths of 2026-03 and of v3 or v4: the batch
/// read of associations, the list of those of one object, and their labels; the list, the
/// search and the batch read of objects.
///
/// By default it holds 100 objects, each with one page of 2 associations. They are of any
/// type that a request names.
///
/// Objects can be [created](Self::create_object), [changed](Self::update_object) and
/// [archived](Self::archive_object) while they are read. Their associations stay as they are.
#[derive(Clone)]
#[must_use = "a service answers when it is a transport or given to a server"]
pub struct HubSpot {
    seed: u64,
    objects: u64,
    page_size: usize,
    pages: Arc<dyn Fn(usize) -> usize + Send + Sync>,
    failing: Arc<dyn Fn(usize) -> bool + Send + Sync>,
    flaws: Arc<dyn Fn(usize, usize) -> Option<HubSpotFlaw> + Send + Sync>,
    properties: Arc<dyn Fn(usize) -> Properties + Send + Sync>,
    rows: SharedRows,
    searches: Option<Searches>,
    latency: Duration,
    log: Log,
}

emulation!(HubSpot);

impl HubSpot {
    /// A service with data from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            objects: 100,
            page_size: 2,
            pages: Arc::new(|_| 1),
            failing: Arc::new(|_| false),
            flaws: Arc::new(|_, _| None),
            properties: Arc::new(rows::some_properties),
            rows: SharedRows::default(),
            searches: None,
            latency: Duration::ZERO,
            log: Log::new(),
        }
    }

    /// How many objects there are.
    pub fn objects(mut self, objects: u64) -> Self {
        self.objects = objects;
        self.rows = SharedRows::default();
        self
    }

    /// The properties of each object, by its index from 0. By default it has a `dealname` and
    /// an `amount`. Each object has `hs_object_id`, `createdate` and `hs_lastmodifieddate`
    /// too, unless they are given here.
    pub fn properties<P>(mut self, properties: impl Fn(usize) -> P + Send + Sync + 'static) -> Self
    where
        P: IntoIterator<Item = (&'static str, String)>,
    {
        self.properties = Arc::new(move |index| {
            properties(index).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        });
        self.rows = SharedRows::default();
        self
    }

    /// Answers more than 5 searches in a second with a 429, as the real service does for all
    /// apps of an account. By default there is no limit, so that a test does not wait. The
    /// time is that of tokio's clock.
    pub fn limit_searches(mut self) -> Self {
        self.searches = Some(Searches::default());
        self
    }

    /// How many pages of associations each object has in the batch read, by its index from 0.
    /// An object with 0 pages has no associations.
    pub fn pages(mut self, pages: impl Fn(usize) -> usize + Send + Sync + 'static) -> Self {
        self.pages = Arc::new(pages);
        self
    }

    /// How many associations a page has.
    pub fn page_size(mut self, associations: usize) -> Self {
        self.page_size = associations;
        self
    }

    /// Which objects the service rejects, by their index from 0.
    pub fn failing(mut self, failing: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        self.failing = Arc::new(failing);
        self
    }

    /// What is wrong with its results, by the index of the object and by the page, both
    /// from 0. The same request gets the same response each time.
    ///
    /// ```
    /// use pagestream::testing::{HubSpot, HubSpotFlaw};
    ///
    /// // The fourth page of the third object goes back to its second page.
    /// let cycle = HubSpot::new(1)
    ///     .pages(|_| 9)
    ///     .flawed(|index, page| (index == 2 && page == 3).then_some(HubSpotFlaw::Cycle(3)));
    /// ```
    pub fn flawed(
        mut self,
        flaw: impl Fn(usize, usize) -> Option<HubSpotFlaw> + Send + Sync + 'static,
    ) -> Self {
        self.flaws = Arc::new(flaw);
        self
    }

    /// Its response to too many requests in ten seconds: a 429.
    pub fn burst_limit() -> Fault {
        Fault::status(429)
    }

    /// Its response to too many requests in a second: a 429.
    pub fn secondly_limit() -> Fault {
        Fault::status(429).body(wire::SECONDLY_LIMIT)
    }

    /// Its response to too many requests on a day: a 429 that lasts until the next day.
    pub fn daily_limit() -> Fault {
        Fault::status(429).body(wire::DAILY_LIMIT)
    }

    /// The ids of the objects, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> + use<> {
        (0..self.objects).map(id_at)
    }

    /// How many pages of associations an object has.
    #[must_use]
    pub fn pages_of(&self, id: u64) -> usize {
        self.index(id).map_or(0, |index| (self.pages)(index))
    }

    /// The ids that an object is associated with, in the order of its pages.
    #[must_use]
    pub fn associations(&self, id: u64) -> Vec<u64> {
        (0..self.pages_of(id)).flat_map(|page| self.page(id, page)).collect()
    }

    fn index(&self, id: u64) -> Option<usize> {
        let index = (id & !ABOVE_2_TO_53).checked_sub(FIRST_ID)?;
        (index < self.objects && id_at(index) == id).then(|| usize::try_from(index).ok())?
    }
}

impl Service for HubSpot {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.log.add(request);
        let Some(route) = Route::of(path(request)) else {
            return error(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "No such path");
        };
        if request.method() != route.method() {
            let message = format!("Use {}", route.method());
            return error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &message);
        }
        if bearer(request).is_none() {
            let message = "Authentication credentials not found";
            return error(StatusCode::UNAUTHORIZED, "INVALID_AUTHENTICATION", message);
        }
        if request.method() == Method::POST && !is_json(request) {
            let message = "Send application/json";
            return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "VALIDATION_ERROR", message);
        }
        match route {
            Route::Associations => self.read_associations(request),
            Route::AssociationsOfOne(id, to) => self.list_associations(id, to, request),
            Route::Labels => wire::labels(),
            Route::List(object_type) => self.list_objects(object_type, request),
            Route::Search(object_type) => self.search_objects(object_type, request),
            Route::BatchRead(object_type) => self.read_objects(object_type, request),
        }
    }

    fn latency(&self) -> Duration {
        self.latency
    }

    fn error(&self, status: StatusCode) -> Response<Bytes> {
        let category = match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let mut response = json(status, &());
                *response.body_mut() = Bytes::from_static(wire::BURST_LIMIT.as_bytes());
                return response;
            }
            StatusCode::UNAUTHORIZED => "INVALID_AUTHENTICATION",
            StatusCode::FORBIDDEN => "MISSING_SCOPES",
            status if status.is_server_error() => "INTERNAL_ERROR",
            _ => "VALIDATION_ERROR",
        };
        error(status, category, "It failed for a test")
    }
}

impl Debug for HubSpot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSpot")
            .field("seed", &self.seed)
            .field("objects", &self.objects)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}
