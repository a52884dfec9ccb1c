use std::{
    collections::{HashMap, VecDeque},
    fmt::{self, Debug, Formatter},
};

use bytes::Bytes;
use http::Response;

use super::{
    batch::{self, Batch, Input},
    wire::{self, Associated, ObjectId, StandardError},
};
use crate::{
    error::{Error, ErrorKind},
    page::Page,
    transport::{Endpoint, decode_error},
};

/// Reads batches; what its views make of them differs in the records alone.
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    pub(super) ids: Vec<ObjectId>,
    pub(super) batch_size: usize,
    pub(super) identity: String,
}

/// What a request said of its inputs.
struct Answers {
    /// An answer to each input, in the order of the request.
    answers: Vec<Answer>,
    /// What was said of ids that are none of the inputs.
    strays: Vec<Error>,
}

/// What a request said of one input.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) to: Vec<Associated>,
    /// Where the id goes on; an id that failed does not.
    pub(super) after: Option<String>,
    failures: Vec<Error>,
    /// Whether the id failed, so that it is not read whole.
    pub(super) failed: bool,
    /// Whether the response mentions the id at all.
    mentioned: bool,
}

impl Answer {
    fn fail(&mut self, error: Error) {
        self.mentioned = true;
        self.failed = true;
        self.after = None;
        self.failures.push(error);
    }
}

impl Reader {
    pub(super) fn start(&self) -> Batch {
        Batch::of_all(&self.ids)
    }

    pub(super) fn pack(&self, waiting: &mut VecDeque<Batch>) {
        batch::pack(waiting, self.batch_size, &self.ids);
    }

    pub(super) fn narrow(&self, batch: &Batch, units: &[usize]) -> Batch {
        batch.narrow(&self.ids, units)
    }

    /// Reads a batch. `view` puts what came for an input into records, and says
    /// with which input the id goes on.
    pub(super) async fn page<R: Send>(
        &self,
        batch: &Batch,
        view: impl Fn(&ObjectId, Option<&Input>, Answer, &mut Vec<R>) -> Option<Input> + Send + Sync,
    ) -> Result<Page<R, Batch>, Error> {
        let Answers { answers, strays } = self.read(batch).await?;
        let mut records = Vec::with_capacity(answers.iter().map(|answer| answer.to.len()).sum());
        let mut units = Vec::with_capacity(answers.len());
        let mut next = Batch::default();
        let mut failures = Vec::new();
        for (unit, (mut answer, (id, input))) in
            answers.into_iter().zip(batch.inputs(&self.ids)).enumerate()
        {
            let before = records.len();
            failures.extend(answer.failures.drain(..).map(|error| (unit, error)));
            next.inputs.extend(view(id, input, answer, &mut records));
            units.push(records.len() - before);
        }
        let page = Page::new(records, (next.len() > 0).then_some(next)).with_units(units);
        let page =
            failures.into_iter().fold(page, |page, (unit, error)| page.with_failure(unit, error));
        Ok(strays.into_iter().fold(page, |page, error| page.with_failure(None, error)))
    }

    /// Makes the request and judges its response.
    async fn read(&self, batch: &Batch) -> Result<Answers, Error> {
        let inputs = batch.inputs(&self.ids).map(|(id, input)| wire::RequestInput {
            id,
            after: input.and_then(|input| input.after.as_deref()),
        });
        let request = wire::Request { inputs: inputs.collect() };
        let response = self.endpoint.post(&request).await?;
        Ok(judge(&request, self.decode(&response)?))
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<wire::Response, Error> {
        serde_json::from_slice(response.body()).map_err(|error| {
            let said = self.endpoint.said(response.body());
            decode_error(format!("the response is no batch of associations{said}"), response)
                .with_source(error)
        })
    }
}

/// Joins a response to the inputs by id, since its order is not promised.
fn judge(request: &wire::Request<'_>, response: wire::Response) -> Answers {
    let inputs = &request.inputs;
    let mut answers = Vec::new();
    answers.resize_with(inputs.len(), Answer::default);
    let mut strays = Vec::new();
    let places = inputs.iter().enumerate().map(|(place, input)| (input.id, place));
    let places = places.collect::<HashMap<_, _>>();

    for mut row in response.results {
        let id = row.from.id.clone();
        let Some(&place) = places.get(&id) else {
            strays.push(contradiction(&id, "came back though it was not asked for"));
            continue;
        };
        let after = row.after();
        let answer = &mut answers[place];
        if answer.mentioned {
            answer.fail(contradiction(&id, "came back twice in one response"));
        } else if after.is_some() && after.as_deref() == inputs[place].after {
            let message = format!("object {id} leads back to the page that was asked for");
            answer.fail(Error::new(ErrorKind::Loop, message).with_ids([id.to_string()]));
        } else if let Some(to) = row.to {
            *answer = Answer { to, after, mentioned: true, ..Answer::default() };
        } else {
            answer.fail(contradiction(&id, "came back without its associations"));
        }
    }
    for error in response.errors {
        let ids = error.ids();
        let mut named = ids.iter().filter_map(|id| Some((id, *places.get(id)?))).peekable();
        if error.is_no_associations() {
            named.for_each(|(_, place)| answers[place].mentioned = true);
        } else if named.peek().is_none() {
            strays.push(refused(&error, &ids));
        } else {
            for (id, place) in named {
                answers[place].fail(refused(&error, std::slice::from_ref(id)));
            }
        }
    }
    for (answer, input) in answers.iter_mut().zip(inputs) {
        if !answer.mentioned {
            let what = "came back neither in the results nor in the errors";
            answer.fail(contradiction(input.id, what));
        }
    }
    Answers { answers, strays }
}

fn contradiction(id: &ObjectId, what: &str) -> Error {
    Error::new(ErrorKind::Contradiction, format!("object {id} {what}")).with_ids([id.to_string()])
}

fn refused(error: &StandardError, ids: &[ObjectId]) -> Error {
    let category = error.category.as_deref().unwrap_or("no category");
    let message = error.message.as_deref().unwrap_or("no message");
    Error::new(
        ErrorKind::Refused,
        format!("the service refused an object, {category}: {message:?}"),
    )
    .with_ids(ids.iter().map(ObjectId::to_string))
}

impl Debug for Reader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("identity", &self.identity)
            .field("batch_size", &self.batch_size)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
