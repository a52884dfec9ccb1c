use std::{
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    batch::Batch,
    batch_error::{Attribution, contradiction, of_batch, rejected, rejected_others, unrequested},
    inputs::Inputs,
    wire::{ObjectId, StandardError, null_as_default},
};
use crate::{
    error::{Error, ErrorKind},
    json::{BadRecord, Pointer, decode_each, decode_one, find},
    page::{Page, Unit},
    transport::{Endpoint, retry_after},
};

/// Reads batches of objects.
pub(super) struct ObjectReader {
    pub(super) endpoint: Endpoint,
    pub(super) inputs: Inputs,
    pub(super) fields: Fields,
    pub(super) identity: String,
}

/// What is read of each object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    pub(super) properties: Vec<String>,
    pub(super) properties_with_history: Vec<String>,
    /// The property that the inputs are values of. By default they are ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_property: Option<String>,
}

#[derive(Serialize)]
struct Request<'a> {
    inputs: Vec<Input<'a>>,
    #[serde(flatten)]
    fields: &'a Fields,
}

#[derive(Serialize)]
struct Input<'a> {
    id: &'a ObjectId,
}

#[derive(Deserialize)]
struct Response {
    results: Vec<Box<RawValue>>,
    #[serde(default, deserialize_with = "null_as_default")]
    errors: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Identified {
    id: ObjectId,
}

/// An object of a response.
struct Found<T> {
    id: Option<ObjectId>,
    /// What was asked for: its id, or its value of the property.
    input: Option<ObjectId>,
    record: Result<T, BadRecord>,
}

/// A response, taken apart.
struct Answer<T> {
    found: Vec<Found<T>>,
    errors: Vec<StandardError>,
    bad_errors: Vec<BadRecord>,
}

/// What came of the inputs of a request.
struct Answers<T> {
    /// Nothing yet, an object with its id, or an error.
    of_inputs: Vec<Option<Result<(ObjectId, T), Error>>>,
    /// The errors about anything else.
    others: Vec<Error>,
}

impl ObjectReader {
    /// Reads a batch into a page of objects.
    pub(super) async fn page<T: DeserializeOwned + Send + 'static>(
        &self,
        batch: &Batch,
    ) -> Result<Page<T, Batch>, Error> {
        let inputs = batch.inputs(&self.inputs.ids).map(|(id, _)| id).collect::<Vec<_>>();
        if inputs.is_empty() {
            return Ok(Page::last(Vec::new()));
        }
        let (answer, wait) = self.request::<T>(&inputs).await?;
        let Answers { of_inputs, others } = self.join(&inputs, answer);
        let (mut records, mut keys) = (Vec::with_capacity(inputs.len()), Vec::new());
        let (mut units, mut failures) = (Vec::with_capacity(inputs.len()), Vec::new());
        for (unit, (answer, input)) in of_inputs.into_iter().zip(inputs).enumerate() {
            let nowhere = "came back neither in the results nor in the errors";
            match answer.unwrap_or_else(|| Err(contradiction(input, nowhere))) {
                Ok((id, record)) => {
                    keys.push(id.key());
                    records.push(record);
                    units.push(Unit::last(1));
                }
                Err(error) => {
                    failures.push((unit, error));
                    units.push(Unit::last(0));
                }
            }
        }
        let page = Page::last(records)
            .with_units(units)
            .with_raw_keys(keys.into_iter().collect())
            .with_retry_after(wait);
        let page = others.into_iter().fold(page, |page, error| page.with_failure(None, error));
        Ok(failures.into_iter().fold(page, |page, (unit, error)| page.with_failure(unit, error)))
    }

    async fn request<T: DeserializeOwned + Send + 'static>(
        &self,
        inputs: &[&ObjectId],
    ) -> Result<(Answer<T>, Option<Duration>), Error> {
        let inputs = inputs.iter().map(|id| Input { id }).collect();
        let request = Request { inputs, fields: &self.fields };
        let response = self.endpoint.post(&request).await.map_err(of_batch)?;
        let property = self.fields.id_property.as_ref().and_then(|property| {
            let escaped = property.replace('~', "~0").replace('/', "~1");
            Pointer::parse(&format!("/properties/{escaped}"))
        });
        let what = "the response is not a batch of objects";
        let decode = move |body: &str| decode::<T>(body, property.as_ref());
        let answer = self.endpoint.decode(what, &response, decode).await?;
        Ok((answer, retry_after(response.headers())))
    }

    /// Joins a response to the inputs, since HubSpot does not promise its order.
    fn join<T>(&self, inputs: &[&ObjectId], answer: Answer<T>) -> Answers<T> {
        let by_property = self.fields.id_property.is_some();
        let indices =
            inputs.iter().enumerate().map(|(index, id)| (comparable(id, by_property), index));
        let indices = indices.collect::<HashMap<_, _>>();
        let index_of = |id: &ObjectId| indices.get(&comparable(id, by_property)).copied();
        let mut of_inputs = Vec::new();
        of_inputs.resize_with(inputs.len(), || None);
        let (mut others, mut unknown) = (Vec::new(), Vec::new());
        for (place, Found { id, input, record }) in answer.found.into_iter().enumerate() {
            let index = input.as_ref().and_then(index_of);
            let record = match (id, record) {
                (Some(id), Ok(record)) => Ok((id, record)),
                (_, Err(bad)) => {
                    let what = format!("object {place} of the results");
                    Err(self.endpoint.bad_record(&what, &bad))
                }
                (None, Ok(_)) => {
                    let message = format!("object {place} of the results has no id");
                    others.push(Error::new(ErrorKind::Contradiction, message));
                    continue;
                }
            };
            match index.and_then(|index| Some((of_inputs.get_mut(index)?, *inputs.get(index)?))) {
                Some((answer @ None, input)) => {
                    let error = |error: Error| error.with_ids([input.to_string()]);
                    *answer = Some(record.map_err(error));
                }
                Some((answer, input)) => {
                    *answer = Some(Err(contradiction(input, "came back twice in one response")));
                }
                None => unknown.push(record),
            }
        }
        for bad in answer.bad_errors {
            let what = format!("entry {} of the errors", bad.index);
            others.push(self.endpoint.bad_record(&what, &bad));
        }
        for error in answer.errors {
            let attribution = Attribution::of(&error, index_of);
            if attribution.named.is_empty() || !attribution.others.is_empty() {
                others.push(rejected_others(&self.endpoint, &error, &attribution.others));
            }
            for (_, index) in attribution.named {
                if let (Some(answer), Some(input)) = (of_inputs.get_mut(index), inputs.get(index)) {
                    let error = rejected(&self.endpoint, &error);
                    *answer = Some(Err(error.with_ids([input.to_string()])));
                }
            }
        }
        // An object may be found by a value that it does not show, such as another address of a
        // contact. So it is one of those that nothing is said about.
        let mut open = of_inputs.iter_mut().filter(|answer| by_property && answer.is_none());
        for record in unknown {
            match (open.next(), record) {
                (Some(answer), record) => *answer = Some(record),
                (None, Ok((id, _))) => others.push(unrequested(&self.endpoint, &id)),
                (None, Err(error)) => others.push(error),
            }
        }
        Answers { of_inputs, others }
    }
}

/// An id as it is; a value without its case, which HubSpot does not keep of an address.
fn comparable(id: &ObjectId, by_property: bool) -> ObjectId {
    if by_property { ObjectId::from(id.to_string().to_lowercase()) } else { id.clone() }
}

/// Takes a response apart. `property` is where an object has what was asked for, if that is
/// not its id.
fn decode<T: DeserializeOwned>(
    body: &str,
    property: Option<&Pointer>,
) -> serde_json::Result<Answer<T>> {
    let Response { results, errors } = serde_json::from_str(body)?;
    let found = results.iter().map(|raw| {
        let id = serde_json::from_str::<Identified>(raw.get()).ok().map(|it| it.id);
        let input = match property {
            None => id.clone(),
            Some(property) => {
                let value = find(raw.get(), property).ok().flatten();
                value.and_then(|value| serde_json::from_str(value.get()).ok())
            }
        };
        Found { id, input, record: decode_one(raw) }
    });
    let found = found.collect();
    let (errors, bad_errors) = decode_each(&errors);
    Ok(Answer { found, errors, bad_errors })
}

impl Debug for ObjectReader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("identity", &self.identity)
            .field("batch_size", &self.inputs.batch_size)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
