use std::{
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    mem,
    time::Duration,
};

use super::{
    batch::{Batch, Input},
    batch_error::{Attribution, contradiction, of_batch, rejected, rejected_others, unrequested},
    batch_response::{self, Partial},
    error_response::is_expired,
    history::History,
    inputs::Inputs,
    record_shape::{Answer, RecordShape},
    wire::{self, NextCursor, ObjectId, ResultRow},
};
use crate::{
    error::{Error, ErrorKind},
    page::{Page, Unit},
    transport::{Endpoint, retry_after},
};

/// Reads batches. The records that a page contains are up to [`RecordShape`].
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    pub(super) inputs: Inputs,
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
    /// Reads a batch into a page of records.
    pub(super) async fn page<R: RecordShape>(
        &self,
        batch: &Batch,
    ) -> Result<Page<R, Batch>, Error> {
        let inputs = batch.inputs(&self.inputs.ids).collect::<Vec<_>>();
        let asked = inputs.iter().filter(|(id, _)| !self.inputs.left_out.contains(id)).copied();
        let asked = asked.collect::<Vec<_>>();
        let (response, wait) = match asked[..] {
            [] => (Partial::default(), None),
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
    ) -> Result<(Partial, Option<Duration>), Error> {
        let inputs = inputs.iter().map(|(id, input)| wire::RequestInput {
            id,
            after: input.and_then(|input| input.after.as_ref()),
        });
        let inputs = inputs.collect::<Vec<_>>();
        let has_cursor = inputs.iter().any(|input| input.after.is_some());
        let response = self.endpoint.post(&wire::Request { inputs }).await.map_err(|error| {
            let is_expired = has_cursor
                && !error.is_of_credentials()
                && is_expired(error.status(), error.service_error());
            if is_expired { error.expired() } else { of_batch(error) }
        })?;
        let what = "the response is not a batch of associations";
        let partial = self.endpoint.decode(what, &response, batch_response::decode).await?;
        Ok((partial, retry_after(response.headers())))
    }

    /// Joins a response to the inputs by id, since HubSpot does not promise its order.
    fn join_by_id(&self, inputs: &[(&ObjectId, Option<&Input>)], partial: Partial) -> Answers {
        let mut answers = Vec::new();
        answers.resize_with(inputs.len(), Answer::default);
        let mut unrequested = Vec::new();
        let indices = inputs.iter().enumerate().map(|(index, (id, _))| (*id, index));
        let indices = indices.collect::<HashMap<_, _>>();

        let Partial { response, bad_rows, bad_errors } = partial;
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
            let Attribution { named, others } =
                Attribution::of(&error, |id| indices.get(id).copied());
            if error.is_no_associations() {
                unrequested.extend(others.iter().map(|id| self.unrequested(id)));
                for (_, index) in named {
                    answers[index].mentioned = true;
                }
                continue;
            }
            if named.is_empty() || !others.is_empty() {
                unrequested.push(rejected_others(&self.endpoint, &error, &others));
            }
            for (id, index) in named {
                let error = rejected(&self.endpoint, &error);
                answers[index].fail(error.with_ids([id.to_string()]));
            }
        }
        for (answer, (id, _)) in answers.iter_mut().zip(inputs) {
            let after = answer.next.as_ref().and_then(|next| next.after.as_ref());
            if after.is_some_and(|after| self.endpoint.has_secret(&after.to_string())) {
                // A cursor is shown in messages and kept in checkpoints.
                answer.fail(contradiction(id, "came back with the access token as its cursor"));
            }
            if !answer.mentioned && !self.inputs.left_out.contains(*id) {
                let what = "came back neither in the results nor in the errors";
                answer.fail(contradiction(id, what));
            }
        }
        Answers { answers, unrequested }
    }

    fn unrequested(&self, id: &ObjectId) -> Error {
        unrequested(&self.endpoint, id)
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

impl Debug for Reader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("identity", &self.identity)
            .field("batch_size", &self.inputs.batch_size)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
