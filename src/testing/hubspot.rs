use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::service::{Log, Service, bearer, emulation, is_json, is_segment, json, mix, path};

/// The first id. Every seventh is above 2^53 besides.
const FIRST_ID: u64 = 515_690_208_000;
const ABOVE_2_TO_53: u64 = 1 << 53;

/// The most inputs that the service takes in one request.
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
    latency: Duration,
    log: Log,
}

emulation!(HubSpot);

impl HubSpot {
    /// A service whose data follows from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            objects: 100,
            page_size: 2,
            pages: Arc::new(|_| 1),
            failing: Arc::new(|_| false),
            latency: Duration::ZERO,
            log: Log::new(),
        }
    }

    /// How many objects there are.
    pub fn objects(mut self, objects: u64) -> Self {
        self.objects = objects;
        self
    }

    /// How many pages the associations of each object fill, by its place from 0;
    /// an object of 0 pages has no associations.
    pub fn pages(mut self, pages: impl Fn(usize) -> usize + Send + Sync + 'static) -> Self {
        self.pages = Arc::new(pages);
        self
    }

    /// How many associations a page holds.
    pub fn page_size(mut self, associations: usize) -> Self {
        self.page_size = associations;
        self
    }

    /// Which objects the service refuses to read, by their place from 0.
    pub fn failing(mut self, failing: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        self.failing = Arc::new(failing);
        self
    }

    /// The ids of the objects, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> + use<> {
        (0..self.objects).map(id_at)
    }

    /// How many pages an object's associations fill.
    #[must_use]
    pub fn pages_of(&self, id: u64) -> usize {
        self.place(id).map_or(0, |place| (self.pages)(place))
    }

    /// The ids that an object is associated with, in the order of its pages.
    #[must_use]
    pub fn associations(&self, id: u64) -> Vec<u64> {
        (0..self.pages_of(id)).flat_map(|page| self.page(id, page)).collect()
    }

    fn place(&self, id: u64) -> Option<usize> {
        let place = (id & !ABOVE_2_TO_53).checked_sub(FIRST_ID)?;
        (place < self.objects && id_at(place) == id).then(|| usize::try_from(place).ok())?
    }

    fn page(&self, id: u64, page: usize) -> impl Iterator<Item = u64> + use<> {
        let (seed, first) = (self.seed ^ id, page * self.page_size);
        (first..first + self.page_size).map(move |place| mix(seed, place as u64) >> 3)
    }

    fn after(&self, id: u64, page: usize) -> String {
        format!("{:016x}-{page}%3D%3D", mix(self.seed, id))
    }

    /// The page that an input asks for.
    fn asked(&self, id: u64, after: Option<&str>) -> Option<usize> {
        let Some(after) = after else { return Some(0) };
        let page = after.split_once('-')?.1.strip_suffix("%3D%3D")?.parse().ok()?;
        (self.after(id, page) == after && (1..self.pages_of(id)).contains(&page)).then_some(page)
    }

    fn read(&self, inputs: &[Input<'_>]) -> Response<Bytes> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in inputs {
            let place = input.id.parse().ok().and_then(|id| Some((id, self.place(id)?)));
            let Some((id, _)) = place.filter(|(_, place)| !(self.failing)(*place)) else {
                errors.push(refused(input.id));
                continue;
            };
            let Some(page) = self.asked(id, input.after) else {
                return error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "Unknown paging cursor");
            };
            if self.pages_of(id) == 0 {
                errors.push(no_associations(input.id));
                continue;
            }
            let more = page + 1 < self.pages_of(id);
            results.push(ResultRow {
                from: From_ { id: input.id },
                to: self.page(id, page).map(To::from).collect(),
                paging: more.then(|| Paging { next: Next { after: self.after(id, page + 1) } }),
            });
        }
        // The order of the results is not that of the inputs.
        let turn = results.len() / 2;
        results.rotate_left(turn);
        let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
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
            .and_then(|rest| rest.strip_suffix("/batch/read"));
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

fn id_at(place: u64) -> u64 {
    let id = FIRST_ID + place;
    if place % 7 == 6 { id | ABOVE_2_TO_53 } else { id }
}

fn error(status: StatusCode, category: &str, message: &str) -> Response<Bytes> {
    json(
        status,
        &json!({
            "status": "error",
            "message": message,
            "correlationId": "3784ea30-07ce-4866-98e8-bf691d18899e",
            "category": category,
        }),
    )
}

fn no_associations(id: &str) -> Value {
    json!({
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No company is associated with deal {id}."),
        "context": {"fromObjectId": [id], "fromObjectType": ["deal"], "toObjectType": ["company"]},
    })
}

fn refused(id: &str) -> Value {
    json!({
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": format!("Object {id} can't be read."),
        "context": {"fromObjectId": [id]},
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input<'a> {
    id: &'a str,
    /// Absent or a string: `null` breaks the schema.
    #[serde(default, borrow, deserialize_with = "not_null")]
    after: Option<&'a str>,
}

fn not_null<'de: 'a, 'a, D: serde::Deserializer<'de>>(d: D) -> Result<Option<&'a str>, D::Error> {
    <&str>::deserialize(d).map(Some)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    status: &'a str,
    results: Vec<ResultRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    started_at: &'a str,
    completed_at: &'a str,
}

#[derive(Serialize)]
struct ResultRow<'a> {
    from: From_<'a>,
    to: Vec<To>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<Paging>,
}

#[derive(Serialize)]
struct From_<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Paging {
    next: Next,
}

#[derive(Serialize)]
struct Next {
    after: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct To {
    to_object_id: u64,
    association_types: [Kind; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    category: &'static str,
    type_id: u32,
    label: Option<&'static str>,
}

impl From<u64> for To {
    fn from(to_object_id: u64) -> Self {
        let primary = to_object_id.is_multiple_of(2);
        let (type_id, label) = if primary { (5, Some("Primary")) } else { (341, None) };
        let association_types = [Kind { category: "HUBSPOT_DEFINED", type_id, label }];
        Self { to_object_id, association_types }
    }
}
