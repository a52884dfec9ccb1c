//! The batch read of associations.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::{
    HubSpot, HubSpotFlaw, flaw,
    wire::{
        Body, Envelope, FromObject, Input, Paging, ResultRow, To, error, invalid_json,
        no_associations, rejected, too_many_inputs,
    },
};
use crate::testing::service::{json, mix};

/// The largest number of inputs in one request.
const MAX_INPUTS: usize = 1000;

impl HubSpot {
    /// Answers a batch read of associations.
    pub(super) fn read_associations(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match serde_json::from_slice::<Body<'_>>(request.body()) {
            Ok(body) if body.inputs.len() > MAX_INPUTS => too_many_inputs(MAX_INPUTS),
            Ok(body) => self.read(&body.inputs),
            Err(reason) => invalid_json(&reason),
        }
    }

    pub(super) fn page(&self, id: u64, page: usize) -> impl Iterator<Item = u64> + use<> {
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
