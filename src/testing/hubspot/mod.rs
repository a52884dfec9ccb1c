mod flaw;
mod wire;

use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

pub use self::flaw::HubSpotFlaw;
use self::wire::{
    Body, Envelope, FromObject, Input, Paging, ResultRow, To, error, no_associations, rejected,
};
use super::faults::Fault;
use super::service::{Log, Service, bearer, emulation, is_json, is_segment, json, mix, path};

/// The first id. Every seventh id is above 2^53.
const FIRST_ID: u64 = 515_690_208_000;
const ABOVE_2_TO_53: u64 = 1 << 53;

/// The largest number of inputs in one request.
const MAX_INPUTS: usize = 1000;

/// An emulation of HubSpot's batch read of associations, under the paths of
/// 2026-03 and v4.
///
/// By default it holds 100 objects, each with one page of 2 associations.
#[derive(Clone)]
#[must_use = "a service answers when it is a transport or given to a server"]
pub struct HubSpot {
    seed: u64,
    objects: u64,
    page_size: usize,
    pages: Arc<dyn Fn(usize) -> usize + Send + Sync>,
    failing: Arc<dyn Fn(usize) -> bool + Send + Sync>,
    flaws: Arc<dyn Fn(usize, usize) -> Option<HubSpotFlaw> + Send + Sync>,
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
            latency: Duration::ZERO,
            log: Log::new(),
        }
    }

    /// How many objects there are.
    pub fn objects(mut self, objects: u64) -> Self {
        self.objects = objects;
        self
    }

    /// How many pages of associations each object has, by its index from 0. An object
    /// with 0 pages has no associations.
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

    fn page(&self, id: u64, page: usize) -> impl Iterator<Item = u64> + use<> {
        let (seed, first) = (self.seed ^ id, page * self.page_size);
        (first..first + self.page_size).map(move |index| mix(seed, index as u64) >> 3)
    }

    fn after(&self, id: u64, page: usize) -> String {
        format!("{:016x}-{page}%3D%3D", mix(self.seed, id))
    }

    /// The page that an input requests.
    fn requested(&self, id: u64, after: Option<&str>) -> Option<usize> {
        let Some(after) = after else { return Some(0) };
        let page = after.split_once('-')?.1.strip_suffix("%3D%3D")?.parse().ok()?;
        (self.after(id, page) == after && (1..self.pages_of(id)).contains(&page)).then_some(page)
    }

    /// What a page of an object says about the next page.
    fn paging(&self, id: u64, page: usize, flaw: Option<HubSpotFlaw>) -> Option<Paging> {
        let pages = self.pages_of(id);
        let next = (page + 1 < pages).then(|| flaw::next_page(flaw, page));
        flaw::paging(flaw, next.map(|next| self.after(id, next)))
    }

    fn read(&self, inputs: &[Input<'_>]) -> Response<Bytes> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        let mut is_ok = true;
        for input in inputs {
            let object = input.id.parse().ok().and_then(|id| Some((id, self.index(id)?)));
            let Some((id, index)) = object.filter(|(_, index)| !(self.failing)(*index)) else {
                errors.push(rejected(input.id));
                is_ok = false;
                continue;
            };
            let Some(page) = self.requested(id, input.after) else {
                return error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "Unknown paging cursor");
            };
            let flaw = (self.flaws)(index, page);
            if flaw == Some(HubSpotFlaw::RejectedWithStatus200) {
                errors.push(rejected(input.id));
                continue;
            }
            if self.pages_of(id) == 0 {
                errors.push(no_associations(input.id));
                is_ok = false;
                continue;
            }
            let row = ResultRow {
                from: FromObject { id: input.id },
                to: Some(self.page(id, page).map(To::from).collect()),
                paging: self.paging(id, page, flaw),
            };
            flaw::push(flaw, row, &mut results);
        }
        // The results are not in the order of the inputs.
        let turn = results.len() / 2;
        results.rotate_left(turn);
        let status = if is_ok { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        json(
            status,
            &Envelope {
                status: "COMPLETE",
                results,
                num_errors: (!errors.is_empty()).then_some(errors.len()),
                errors,
                started_at: "2026-03-30T13:46:24.038Z",
                completed_at: "2026-03-30T13:46:24.048Z",
            },
        )
    }
}

impl Service for HubSpot {
    fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.log.add(request);
        let path = path(request);
        let types = path
            .strip_prefix("/crm/associations/2026-03/")
            .or_else(|| path.strip_prefix("/crm/v4/associations/"))
            .and_then(|path| path.strip_suffix("/batch/read"));
        let types = types.and_then(|types| types.split_once('/'));
        if !types.is_some_and(|(from, to)| [from, to].iter().all(is_segment)) {
            return error(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "No such path");
        }
        if request.method() != Method::POST {
            return error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Use POST");
        }
        if bearer(request).is_none() {
            let message = "Authentication credentials not found";
            return error(StatusCode::UNAUTHORIZED, "INVALID_AUTHENTICATION", message);
        }
        if !is_json(request) {
            let message = "Send application/json";
            return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "VALIDATION_ERROR", message);
        }
        let inputs = match serde_json::from_slice::<Body<'_>>(request.body()) {
            Ok(body) => body.inputs,
            Err(reason) => {
                let message = format!("Invalid input JSON: {reason}");
                return error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", &message);
            }
        };
        if inputs.len() > MAX_INPUTS {
            let message = format!(
                "The maximum number of inputs supported in a batch is {MAX_INPUTS}. Please reduce \
                 the number of items and try again"
            );
            return error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", &message);
        }
        self.read(&inputs)
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

fn id_at(index: u64) -> u64 {
    let id = FIRST_ID + index;
    if index % 7 == 6 { id | ABOVE_2_TO_53 } else { id }
}
