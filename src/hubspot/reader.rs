use std::{
    collections::{HashMap, VecDeque},
    fmt::{self, Debug, Formatter},
};

use super::{
    batch::{self, Batch, Input},
    refusal::is_expired,
    wire::{self, Associated, LeadsTo, ObjectId, ResultRow, StandardError},
};
use crate::{
    error::{Error, ErrorKind, ServiceError},
    page::Page,
    transport::Endpoint,
};

/// How much is shown of an id that the service chose, in characters.
const SHOWN_ID: usize = 100;

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
    pub(super) next: Option<Input>,
    /// Whether the id failed, so that it is not read whole.
    pub(super) failed: bool,
    failures: Vec<Error>,
    /// Whether the response mentions the id at all.
    mentioned: bool,
}

impl Answer {
    fn fail(&mut self, error: Error) {
        self.mentioned = true;
        self.failed = true;
        self.next = None;
        self.failures.push(error);
    }
}

impl Reader {
    pub(super) fn start(&self) -> Batch {
        Batch::of_all(&self.ids)
    }

    pub(super) fn pack(&self, waiting: &mut VecDeque<Batch>, halvings: u32) {
        batch::pack(waiting, self.most(halvings), &self.ids);
    }

    pub(super) fn is_full(&self, batch: &Batch, halvings: u32) -> bool {
        batch.len() >= self.most(halvings)
    }

    pub(super) fn split(&self, batch: &Batch, parts: usize) -> Vec<Batch> {
        batch.split(parts, self.batch_size)
    }

    /// How many inputs a request carries at most.
    fn most(&self, halvings: u32) -> usize {
        self.batch_size.checked_shr(halvings).unwrap_or(0).max(1)
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
        let inputs = batch.inputs(&self.ids).collect::<Vec<_>>();
        let Answers { answers, strays } = self.judge(&inputs, self.read(&inputs).await?);
        let mut records = Vec::with_capacity(answers.iter().map(|answer| answer.to.len()).sum());
        let mut units = Vec::with_capacity(answers.len());
        let mut next = Batch::default();
        let mut failures = Vec::new();
        for (unit, (mut answer, (id, input))) in answers.into_iter().zip(inputs).enumerate() {
            let before = records.len();
            failures.extend(answer.failures.drain(..).map(|error| (unit, error)));
            next.inputs.extend(view(id, input, answer, &mut records));
            units.push(records.len() - before);
        }
        let page = Page::new(records, (next.len() > 0).then_some(next)).with_units(units);
        let page = strays.into_iter().fold(page, |page, error| page.with_failure(None, error));
        let failures = failures.into_iter();
        Ok(failures.fold(page, |page, (unit, error)| page.with_failure(unit, error)))
    }

    async fn read(&self, inputs: &[(&ObjectId, Option<&Input>)]) -> Result<wire::Response, Error> {
        let inputs = inputs.iter().map(|(id, input)| wire::RequestInput {
            id,
            after: input.and_then(|input| input.after.as_ref()),
        });
        let inputs = inputs.collect::<Vec<_>>();
        let has_cursor = inputs.iter().any(|input| input.after.is_some());
        let response = self.endpoint.post(&wire::Request { inputs }).await.map_err(|error| {
            let expired = has_cursor && is_expired(error.status(), error.service_error());
            if expired { error.expired() } else { error }
        })?;
        let what = "the response is no batch of associations";
        self.endpoint.decode(what, &response, |text| serde_json::from_str(text)).await
    }

    /// Joins a response to the inputs by id, since its order is not promised.
    fn judge(&self, inputs: &[(&ObjectId, Option<&Input>)], response: wire::Response) -> Answers {
        let mut answers = Vec::new();
        answers.resize_with(inputs.len(), Answer::default);
        let mut strays = Vec::new();
        let places = inputs.iter().enumerate().map(|(place, (id, _))| (*id, place));
        let places = places.collect::<HashMap<_, _>>();

        for row in response.results {
            match places.get(&row.from.id) {
                Some(&place) => answers[place].take_in(row, inputs[place].1),
                None => strays.push(self.not_asked_for(&row.from.id)),
            }
        }
        for error in response.errors {
            let (from, others) = error.ids();
            let asked = |id: &ObjectId| Some((id.clone(), *places.get(id)?));
            let unasked = from.iter().filter(|id| asked(id).is_none()).collect::<Vec<_>>();
            let named = if from.is_empty() { &others } else { &from };
            let named = named.iter().filter_map(asked).collect::<Vec<_>>();
            if error.is_no_associations() {
                strays.extend(unasked.into_iter().map(|id| self.not_asked_for(id)));
                for (_, place) in named {
                    answers[place].mentioned = true;
                }
                continue;
            }
            if named.is_empty() || !unasked.is_empty() {
                let unasked =
                    unasked.iter().map(|id| self.endpoint.redact(&id.to_string(), SHOWN_ID));
                strays.push(self.refused(&error).with_ids(unasked));
            }
            for (id, place) in named {
                answers[place].fail(self.refused(&error).with_ids([id.to_string()]));
            }
        }
        for (answer, (id, _)) in answers.iter_mut().zip(inputs) {
            if !answer.mentioned {
                let what = "came back neither in the results nor in the errors";
                answer.fail(contradiction(id, what));
            }
        }
        Answers { answers, strays }
    }

    fn refused(&self, error: &StandardError) -> Error {
        let said = self.endpoint.redact_service_error(ServiceError {
            category: error.category.clone(),
            sub_category: error.sub_category().map(str::to_owned),
            message: error.message.clone(),
            correlation_id: None,
        });
        let [category, message] = [&said.category, &said.message]
            .map(|said| said.as_ref().map_or_else(|| "nothing".to_owned(), |it| format!("{it:?}")));
        let message = format!("the service refused an object: category {category}, {message}");
        Error::new(ErrorKind::Rejected, message).with_service_error(said)
    }

    /// The service chose this id, so it may be anything.
    fn not_asked_for(&self, id: &ObjectId) -> Error {
        let id = ObjectId::from(self.endpoint.redact(&id.to_string(), SHOWN_ID));
        contradiction(&id, "came back though it was not asked for")
    }
}

impl Answer {
    /// Takes in the row of the results that is about this input.
    fn take_in(&mut self, row: ResultRow, input: Option<&Input>) {
        let id = &row.from.id;
        if self.mentioned {
            return self.fail(contradiction(id, "came back twice in one response"));
        }
        self.mentioned = true;
        let Some(to) = row.to else {
            return self.fail(contradiction(id, "came back without its associations"));
        };
        match LeadsTo::from(row.paging) {
            LeadsTo::End => self.to = to,
            LeadsTo::Nowhere => {
                self.to = to;
                self.fail(contradiction(id, "has more associations, and no cursor to them"));
            }
            LeadsTo::After(after) => match Input::after(id, after, input) {
                Some(next) => {
                    self.to = to;
                    self.next = Some(next);
                }
                // What came may be what came before, so it is not given out.
                None => self.fail(
                    Error::new(ErrorKind::Loop, format!("object {id} is led in a circle"))
                        .with_ids([id.to_string()]),
                ),
            },
        }
    }
}

fn contradiction(id: &ObjectId, what: &str) -> Error {
    Error::new(ErrorKind::Contradiction, format!("object {id} {what}")).with_ids([id.to_string()])
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
