use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt::{self, Debug, Formatter},
    mem,
    time::Duration,
};

use super::{
    batch::{self, Batch, Input},
    error_response::is_expired,
    history::History,
    record_shape::{Answer, RecordShape},
    wire::{self, NextCursor, ObjectId, ResultRow, StandardError},
};
use crate::{
    error::{Error, ErrorKind, ServiceError},
    page::{Page, Unit},
    transport::{Endpoint, retry_after},
};

/// How many characters of an unrequested id are shown: the service chose it.
const SHOWN_ID: usize = 100;

/// Reads batches. The records that a page contains are up to [`RecordShape`].
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    pub(super) ids: Vec<ObjectId>,
    /// The ids that are not asked for.
    pub(super) left_out: HashSet<ObjectId>,
    pub(super) batch_size: usize,
    pub(super) identity: String,
}

/// The answer to one request.
struct Answers {
    /// The answer to each input, in the order of the request.
    answers: Vec<Answer>,
    /// The errors about unrequested ids.
    unrequested: Vec<Error>,
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

    /// The largest number of inputs in a request.
    fn most(&self, halvings: u32) -> usize {
        self.batch_size.checked_shr(halvings).unwrap_or(0).max(1)
    }

    pub(super) fn narrow(&self, batch: &Batch, units: &[usize]) -> Batch {
        batch.narrow(&self.ids, units)
    }

    /// Whether a batch asks for one id alone.
    pub(super) fn is_single(&self, batch: &Batch) -> bool {
        batch.inputs(&self.ids).take(2).count() == 1
    }

    /// The id of an input.
    pub(super) fn ids(&self, batch: &Batch, unit: usize) -> Vec<String> {
        batch.inputs(&self.ids).nth(unit).map(|(id, _)| id.to_string()).into_iter().collect()
    }

    /// Reads a batch into a page of records.
    pub(super) async fn page<R: RecordShape>(
        &self,
        batch: &Batch,
    ) -> Result<Page<R, Batch>, Error> {
        let inputs = batch.inputs(&self.ids).collect::<Vec<_>>();
        let asked = inputs.iter().filter(|(id, _)| !self.left_out.contains(id)).copied();
        let asked = asked.collect::<Vec<_>>();
        let (response, wait) = match asked[..] {
            [] => (wire::Partial::default(), None),
            _ => self.request(&asked).await?,
        };
        let Answers { answers, unrequested } = self.join_by_id(&inputs, response);
        let mut records = Vec::with_capacity(answers.iter().map(|answer| answer.to.len()).sum());
        let mut units = Vec::with_capacity(answers.len());
        let mut next = Batch::default();
        let (mut failures, mut bad) = (Vec::new(), Vec::new());
        for (unit, (mut answer, (id, input))) in answers.into_iter().zip(inputs).enumerate() {
            let before = records.len();
            if !R::TAKES_PARTS && !answer.bad.is_empty() {
                let error = answer.bad.swap_remove(0);
                answer.bad.clear();
                answer.fail(error);
            }
            failures.extend(answer.failures.drain(..).map(|error| (unit, error)));
            bad.extend(answer.bad.drain(..).map(|error| (unit, error)));
            let next_input = R::append_records(id, input, answer, &mut records);
            let records = records.len() - before;
            units.push(match &next_input {
                Some(_) => Unit::going_on(records),
                None => Unit::last(records),
            });
            next.inputs.extend(next_input);
        }
        let keys = records.iter().map(R::key).collect();
        let page = Page::new(records, (next.len() > 0).then_some(next))
            .with_units(units)
            .with_raw_keys(keys)
            .with_retry_after(wait);
        let unrequested = unrequested.into_iter();
        let page = unrequested.fold(page, |page, error| page.with_failure(None, error));
        let failures = failures.into_iter();
        let mut page = failures.fold(page, |page, (unit, error)| page.with_failure(unit, error));
        for (unit, error) in bad {
            page.fail_record(Some(unit), error);
        }
        Ok(page)
    }

    async fn request(
        &self,
        inputs: &[(&ObjectId, Option<&Input>)],
    ) -> Result<(wire::Partial, Option<Duration>), Error> {
        let inputs = inputs.iter().map(|(id, input)| wire::RequestInput {
            id,
            after: input.and_then(|input| input.after.as_ref()),
        });
        let inputs = inputs.collect::<Vec<_>>();
        let has_cursor = inputs.iter().any(|input| input.after.is_some());
        let response = self.endpoint.post(&wire::Request { inputs }).await.map_err(|error| {
            if error.is_of_credentials() {
                return error;
            }
            if has_cursor && is_expired(error.status(), error.service_error()) {
                return error.expired();
            }
            // One malformed id makes it refuse the whole request, and it does not say which.
            let may_be_partial = matches!(error.status(), Some(400 | 404));
            if may_be_partial { error.with_may_be_partial() } else { error }
        })?;
        let what = "the response is not a batch of associations";
        let partial = self.endpoint.decode(what, &response, wire::decode).await?;
        Ok((partial, retry_after(response.headers())))
    }

    /// Joins a response to the inputs by id, since HubSpot does not promise its order.
    fn join_by_id(
        &self,
        inputs: &[(&ObjectId, Option<&Input>)],
        partial: wire::Partial,
    ) -> Answers {
        let mut answers = Vec::new();
        answers.resize_with(inputs.len(), Answer::default);
        let mut unrequested = Vec::new();
        let indices = inputs.iter().enumerate().map(|(index, (id, _))| (*id, index));
        let indices = indices.collect::<HashMap<_, _>>();

        let wire::Partial { response, bad_rows, bad_errors } = partial;
        for mut row in response.results {
            let Some(&index) = indices.get(&row.from.id) else {
                unrequested.push(self.unrequested(&row.from.id));
                continue;
            };
            let id = inputs[index].0;
            let bad = mem::take(&mut row.bad).into_iter().map(|bad| {
                let what = format!("association {} of object {id} in this page", bad.index);
                self.endpoint.bad_record(&what, &bad).with_ids([id.to_string()])
            });
            let bad = bad.collect::<Vec<_>>();
            answers[index].set_row(row, inputs[index].1);
            if !answers[index].failed {
                answers[index].bad = bad;
            }
        }
        for (bad, id) in bad_rows {
            if let Some(&index) = id.and_then(|id| indices.get(&id)) {
                let id = inputs[index].0;
                let error = self.endpoint.bad_record(&format!("the row of object {id}"), &bad);
                answers[index].fail(error.with_ids([id.to_string()]));
            } else {
                let what = format!("row {} of the results", bad.index);
                unrequested.push(self.endpoint.bad_record(&what, &bad));
            }
        }
        for bad in bad_errors {
            let what = format!("entry {} of the errors", bad.index);
            unrequested.push(self.endpoint.bad_record(&what, &bad));
        }
        for error in response.errors {
            let (from, others) = error.ids();
            let requested = |id: &ObjectId| Some((id.clone(), *indices.get(id)?));
            let others_named = from.iter().filter(|id| requested(id).is_none()).collect::<Vec<_>>();
            let named = if from.is_empty() { &others } else { &from };
            let named = named.iter().filter_map(requested).collect::<Vec<_>>();
            if error.is_no_associations() {
                unrequested.extend(others_named.into_iter().map(|id| self.unrequested(id)));
                for (_, index) in named {
                    answers[index].mentioned = true;
                }
                continue;
            }
            if named.is_empty() || !others_named.is_empty() {
                let ids =
                    others_named.iter().map(|id| self.endpoint.redact(&id.to_string(), SHOWN_ID));
                unrequested.push(self.rejected(&error).with_ids(ids));
            }
            for (id, index) in named {
                answers[index].fail(self.rejected(&error).with_ids([id.to_string()]));
            }
        }
        for (answer, (id, _)) in answers.iter_mut().zip(inputs) {
            let after = answer.next.as_ref().and_then(|next| next.after.as_ref());
            if after.is_some_and(|after| self.endpoint.has_secret(&after.to_string())) {
                // A cursor is shown in messages and kept in checkpoints.
                answer.fail(contradiction(id, "came back with the access token as its cursor"));
            }
            if !answer.mentioned && !self.left_out.contains(*id) {
                let what = "came back neither in the results nor in the errors";
                answer.fail(contradiction(id, what));
            }
        }
        Answers { answers, unrequested }
    }

    fn rejected(&self, error: &StandardError) -> Error {
        let service_error = self.endpoint.redact_service_error(ServiceError {
            category: error.category.clone(),
            sub_category: error.sub_category().map(str::to_owned),
            message: error.message.clone(),
            correlation_id: None,
        });
        let [category, message] = [&service_error.category, &service_error.message]
            .map(|text| text.as_ref().map_or_else(|| "none".to_owned(), |it| format!("{it:?}")));
        let message =
            format!("the service rejected an object: category {category}, message {message}");
        Error::new(ErrorKind::Rejected, message).with_service_error(service_error)
    }

    /// The error about an unrequested id. The service chose the id, so it may be
    /// anything.
    fn unrequested(&self, id: &ObjectId) -> Error {
        let id = ObjectId::from(self.endpoint.redact(&id.to_string(), SHOWN_ID));
        contradiction(&id, "came back but was not requested")
    }
}

impl Answer {
    /// Sets the answer from the row of the results for this input.
    fn set_row(&mut self, row: ResultRow, input: Option<&Input>) {
        let id = &row.from.id;
        if self.mentioned {
            return self.fail(contradiction(id, "came back twice in one response"));
        }
        self.mentioned = true;
        let Some(to) = row.to else {
            return self.fail(contradiction(id, "came back without its associations"));
        };
        let none = History::default();
        let history = input.map_or(&none, |input| &input.history);
        // Associations that may have come before are not delivered.
        let is_loop = |what: &str| {
            Error::new(ErrorKind::Loop, format!("object {id} {what}")).with_ids([id.to_string()])
        };
        if let Err(what) = history.check(&to) {
            return self.fail(is_loop(what));
        }
        match NextCursor::from(row.paging) {
            NextCursor::End => self.to = to,
            NextCursor::Missing => {
                self.to = to;
                self.fail(contradiction(id, "has more associations but no cursor to them"));
            }
            NextCursor::After(after) => {
                let cursor = input.and_then(|input| input.after.as_ref());
                match history.next(cursor, &to, &after) {
                    Ok(history) => {
                        self.to = to;
                        self.next = Some(Input::after(id, after, history, input));
                    }
                    Err(what) => self.fail(is_loop(what)),
                }
            }
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
