//! The list of the associations of one object.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::{
    HubSpot, HubSpotFlaw, flaw,
    wire::{To, error, invalid},
};
use crate::testing::{service, url_text};

/// The most associations in a page.
const MAX_ASSOCIATIONS: usize = 500;

impl HubSpot {
    /// Answers a list of the associations of one object.
    pub(super) fn list_associations(
        &self,
        object: &str,
        to: &str,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let (mut limit, mut after) = (MAX_ASSOCIATIONS, None);
        for (name, value) in url_text::pairs(request.uri().query().unwrap_or_default()) {
            match (&*name, value.parse()) {
                ("limit", Ok(value)) if (1..=MAX_ASSOCIATIONS).contains(&value) => limit = value,
                ("limit", _) => {
                    let message = format!("The limit {value} is not from 1 to {MAX_ASSOCIATIONS}");
                    return invalid(&message);
                }
                ("after", _) => after = Some(value),
                _ => {}
            }
        }
        let Ok(id) = object.parse::<u64>() else { return invalid("Invalid object id") };
        let index = self.index(id);
        let exists = match index {
            Some(index) => !(self.failing)(index),
            None => self.with_rows(|rows| rows.by_id.contains_key(&id)),
        };
        if !exists {
            let message = "resource not found";
            return error(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", message);
        }
        let all = self.associations(id);
        let behind = |after: &str| {
            let last = last(to, after)?;
            Some(all.iter().position(|it| *it == last)? + 1)
        };
        let Some(begin) = after.as_deref().map_or(Some(0), behind) else {
            return invalid("Unknown paging cursor");
        };
        let page = begin / limit;
        let flaw = index.and_then(|index| (self.flaws)(index, page));
        let next = (begin + limit < all.len()).then(|| flaw::next_page(flaw, page) * limit);
        let next = next.and_then(|next| all.get(next.checked_sub(1)?));
        let results = all.iter().skip(begin).take(limit).copied().map(To::from);
        let mut body = json!({"results": results.collect::<Vec<_>>()});
        if flaw == Some(HubSpotFlaw::NoTo) {
            body = json!({});
        }
        if let Some(paging) = flaw::paging(flaw, next.map(|last| cursor(to, *last))) {
            body["paging"] = json!(paging);
        }
        service::json(StatusCode::OK, &body)
    }
}

/// The cursor behind an association, percent-encoded as HubSpot's are.
fn cursor(to: &str, last: u64) -> String {
    STANDARD.encode(format!("{to}-{last}")).replace('=', "%3D")
}

/// The association that a cursor is behind.
fn last(to: &str, cursor: &str) -> Option<u64> {
    let text = STANDARD.decode(url_text::percent_decoded(cursor)).ok()?;
    str::from_utf8(&text).ok()?.strip_prefix(to)?.strip_prefix('-')?.parse().ok()
}
