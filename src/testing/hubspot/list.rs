//! The list of objects, and their batch read.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    HubSpot,
    rows::Row,
    wire::{invalid, invalid_json, too_many_inputs},
};
use crate::testing::{service, url_text::percent_decoded};

/// The most objects in a page, and the most inputs of a batch read.
const MAX_OBJECTS: usize = 100;

/// The same where properties come with their history.
const MAX_OBJECTS_WITH_HISTORY: usize = 50;

/// How many associations a listed object carries.
const MAX_ASSOCIATIONS: usize = 100;

/// What an object comes with.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) properties: Vec<String>,
    with_history: Vec<String>,
    associations: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Batch {
    inputs: Vec<Id>,
    properties: Vec<String>,
    properties_with_history: Vec<String>,
    #[serde(default)]
    id_property: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    id: String,
}

/// What the query of a request says.
#[derive(Default)]
struct Query {
    fields: Fields,
    limit: Option<usize>,
    after: Option<u64>,
    archived: bool,
}

impl Query {
    /// # Errors
    ///
    /// What is wrong with it.
    fn of(request: &Request<Bytes>) -> Result<Self, String> {
        let mut query = Self::default();
        for pair in request.uri().query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(value);
            let names = || value.split(',').map(str::to_owned);
            let wrong = |_| format!("Unable to read the parameter {name}");
            match name {
                "properties" => query.fields.properties.extend(names()),
                "propertiesWithHistory" => query.fields.with_history.extend(names()),
                "associations" => query.fields.associations.extend(names()),
                "limit" => query.limit = Some(value.parse().map_err(wrong)?),
                "after" => query.after = Some(value.parse().map_err(wrong)?),
                // HubSpot's own client for Python writes `True`.
                "archived" => query.archived = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        Ok(query)
    }
}

impl HubSpot {
    /// Answers a list.
    pub(super) fn list_objects(
        &self,
        object_type: &str,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let query = match Query::of(request) {
            Ok(query) => query,
            Err(message) => return invalid(&message),
        };
        let (limit, most) = (query.limit.unwrap_or(10), query.fields.most());
        if !(1..=most).contains(&limit) {
            return invalid(&format!("The limit {limit} is not from 1 to {most}"));
        }
        let (results, next) = self.with_rows(|rows| {
            let from = query.after.map_or(0, |after| after.saturating_add(1));
            let rows = rows.by_id.range(from..).filter(|(_, row)| row.archived == query.archived);
            let mut page = rows.take(limit + 1).collect::<Vec<_>>();
            let has_more = page.len() > limit;
            page.truncate(limit);
            let next = page.last().filter(|_| has_more).map(|(id, _)| id.to_string());
            let results = page.iter().map(|(id, row)| self.object(**id, row, &query.fields));
            (results.collect::<Vec<_>>(), next)
        });
        let mut body = json!({"results": results});
        if let Some(after) = next {
            let link =
                format!("https://api.hubapi.com/crm/v3/objects/{object_type}/?after={after}");
            body["paging"] = json!({"next": {"after": after, "link": link}});
        }
        service::json(StatusCode::OK, &body)
    }

    /// Answers a batch read of objects.
    pub(super) fn read_objects(
        &self,
        object_type: &str,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let (query, batch) = match (Query::of(request), serde_json::from_slice(request.body())) {
            (Ok(query), Ok::<Batch, _>(batch)) => (query, batch),
            (Err(message), _) => return invalid(&message),
            (_, Err(reason)) => return invalid_json(&reason),
        };
        let fields = Fields {
            properties: batch.properties,
            with_history: batch.properties_with_history,
            associations: Vec::new(),
        };
        if batch.inputs.len() > fields.most() {
            return too_many_inputs(fields.most());
        }
        let is_id = |id: &Id| id.id.parse::<u64>().is_ok();
        if batch.id_property.is_none() && !batch.inputs.iter().all(is_id) {
            return invalid("Invalid object id");
        }
        let (mut results, mut missing) = (Vec::new(), Vec::new());
        let inputs = batch.inputs.into_iter().map(|input| input.id).collect::<BTreeSet<_>>();
        self.with_rows(|rows| {
            for input in inputs {
                let by_property = |property: &str| {
                    let mut rows = rows.by_id.iter();
                    rows.find(|(_, row)| {
                        row.property(property).is_some_and(|it| it.eq_ignore_ascii_case(&input))
                    })
                };
                let found = match batch.id_property.as_deref() {
                    Some(property) => by_property(property),
                    None => input.parse().ok().and_then(|id| rows.by_id.get_key_value(&id)),
                };
                let fails = |id| self.index(id).is_some_and(|index| (self.failing)(index));
                match found {
                    Some((id, row)) if row.archived == query.archived && !fails(*id) => {
                        results.push(self.object(*id, row, &fields));
                    }
                    _ => missing.push(input),
                }
            }
        });
        // The results are not in the order of the inputs.
        results.reverse();
        let mut body = json!({
            "status": "COMPLETE",
            "results": results,
            "startedAt": "2026-03-30T13:46:24.038Z",
            "completedAt": "2026-03-30T13:46:24.048Z",
        });
        if missing.is_empty() {
            return service::json(StatusCode::OK, &body);
        }
        let name = object_type.trim_end_matches('s').to_ascii_uppercase();
        body["numErrors"] = json!(1);
        body["errors"] = json!([{
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": format!(
                "Could not get some {name} objects, they may be deleted or not exist. Check that \
                 ids are valid."
            ),
            "context": {"ids": missing},
        }]);
        service::json(StatusCode::MULTI_STATUS, &body)
    }

    /// An object as the wire has it.
    pub(super) fn object(&self, id: u64, row: &Row, fields: &Fields) -> Value {
        let all = || row.properties.keys().map(String::as_str);
        let always = ["createdate", "hs_lastmodifieddate", "hs_object_id"];
        let asked = fields.properties.iter().map(String::as_str).chain(always);
        let names =
            if fields.properties.is_empty() { all().collect::<Vec<_>>() } else { asked.collect() };
        let properties = names.into_iter().map(|name| (name.to_owned(), row.property(name).into()));
        let changed = row.property("hs_lastmodifieddate");
        let mut object = json!({
            "id": id.to_string(),
            "properties": properties.collect::<Map<String, Value>>(),
            "createdAt": row.property("createdate"),
            "updatedAt": changed,
            "archived": row.archived,
        });
        if row.archived {
            object["archivedAt"] = json!(changed);
        }
        if !fields.with_history.is_empty() {
            let histories = fields.with_history.iter().map(|name| {
                let version = |value| {
                    json!({"value": value, "timestamp": changed, "sourceType": "CRM_UI",
                        "sourceId": "userId:1"})
                };
                let versions = row.property(name).map(version).into_iter().collect::<Value>();
                (name.clone(), versions)
            });
            object["propertiesWithHistory"] = histories.collect::<Map<String, Value>>().into();
        }
        let associated =
            if fields.associations.is_empty() { vec![] } else { self.associations(id) };
        if !associated.is_empty() {
            let first = associated.iter().take(MAX_ASSOCIATIONS);
            let results = first.map(|to| json!({"id": to.to_string(), "type": "deal_to_company"}));
            let mut page = json!({"results": results.collect::<Vec<_>>()});
            if let Some(next) = associated.get(MAX_ASSOCIATIONS) {
                page["paging"] = json!({"next": {"after": next.to_string()}});
            }
            let pages = fields.associations.iter().map(|name| (name.clone(), page.clone()));
            object["associations"] = pages.collect::<Map<String, Value>>().into();
        }
        object
    }
}

impl Fields {
    pub(super) fn of(properties: Vec<String>) -> Self {
        Self { properties, ..Self::default() }
    }

    fn most(&self) -> usize {
        if self.with_history.is_empty() { MAX_OBJECTS } else { MAX_OBJECTS_WITH_HISTORY }
    }
}
