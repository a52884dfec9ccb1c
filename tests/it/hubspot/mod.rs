//! The rules of reading HubSpot's objects and associations, a test each.

mod association_labels;
mod associations_of;
mod associations_of_one;
mod bad_records;
mod batch_read;
mod builder;
mod changes;
mod checkpoints;
mod complete_objects;
mod fatal;
mod grouped;
mod ids;
mod objects;
mod pages;
mod partial;
mod request;
mod results;
mod search;
mod size;

use std::error::Error as _;

use crate::support::{Answer, Script, stored};
use bytes::Bytes;
use futures::StreamExt;
use pagestream::{
    Checkpoint, Error, Paginator, PaginatorExt, Retry, Transport,
    hubspot::{Association, Associations, AssociationsBuilder, Group},
    testing::HubSpot,
};
use serde_json::{Value, json};

const TOKEN: &str = "pat-na1-0c0ffee0-5ec2";

impl Script {
    fn pages(pages: &[&str]) -> Self {
        Self::new(pages.iter().map(|text| page(text)))
    }

    /// The paginator of some deals that reads this script.
    fn deals(&self, ids: impl IntoIterator<Item = u64>) -> Associations {
        deals(ids, self.transport()).build().unwrap()
    }

    /// The inputs of each request: `1 2@cursor`.
    fn asked(&self) -> Vec<String> {
        self.all_requests().iter().map(|request| inputs(request.body())).collect()
    }
}

fn inputs(body: &[u8]) -> String {
    let body = serde_json::from_slice::<Value>(body).unwrap();
    let inputs = body["inputs"].as_array().unwrap().iter().map(|input| {
        let id = input["id"].as_str().unwrap();
        let after = input.get("after").map(|after| after.as_str().expect("a string or absent"));
        after.map_or_else(|| id.to_owned(), |after| format!("{id}@{after}"))
    });
    inputs.collect::<Vec<_>>().join(" ")
}

fn deals(
    ids: impl IntoIterator<Item = u64>,
    transport: impl Transport + 'static,
) -> AssociationsBuilder {
    Associations::builder("deals", "companies").ids(ids).token(TOKEN).transport(transport)
}

/// A page as text: `1:11,12>a` is an id, its associations and its `after`, `-2`
/// an id without associations, `!3` one that is rejected.
fn page(text: &str) -> Answer {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for word in text.split(' ') {
        match word.split_at(1) {
            ("-", id) => errors.push(no_associations(id)),
            ("!", id) => errors.push(rejected(&[id])),
            _ => rows.push(row(word)),
        }
    }
    envelope(&rows, &errors)
}

fn row(text: &str) -> Value {
    let (id, remaining) = text.split_once(':').unwrap();
    let (to, after) =
        remaining.split_once('>').map_or((remaining, None), |(to, after)| (to, Some(after)));
    let kind = json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null});
    let to = to.split_terminator(',').map(|to| to.parse::<u64>().unwrap());
    let to = to.map(|to| json!({"toObjectId": to, "associationTypes": [kind]}));
    let mut row = json!({"from": {"id": id}, "to": to.collect::<Vec<_>>()});
    if let Some(after) = after {
        row["paging"] = json!({"next": {"after": after, "link": "https://elsewhere.example/?p=2"}});
    }
    row
}

fn rejected(ids: &[&str]) -> Value {
    json!({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "It can't be read.",
        "context": {"fromObjectId": ids, "fromObjectType": ["deal"], "toObjectType": ["company"]}})
}

fn no_associations(id: &str) -> Value {
    let mut entry = rejected(&[id]);
    entry["subCategory"] = json!("crm.associations.NO_ASSOCIATIONS_FOUND");
    entry
}

fn envelope(rows: &[Value], errors: &[Value]) -> Answer {
    let mut body = json!({"status": "COMPLETE", "results": rows});
    if errors.is_empty() {
        return answer(200, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = json!(errors);
    answer(207, &body)
}

fn answer(status: u16, body: &Value) -> Answer {
    (status, Bytes::from(body.to_string()))
}

trait Told {
    fn told(&self) -> String;
}

impl Told for Association {
    fn told(&self) -> String {
        format!("{} -> {}", self.from, self.to)
    }
}

impl Told for Group {
    fn told(&self) -> String {
        let to = self.to.iter().map(|associated| associated.to.to_string());
        format!("{} -> [{}]", self.from, to.collect::<Vec<_>>().join(", "))
    }
}

impl<R: Told> Told for Result<R, Error> {
    fn told(&self) -> String {
        match self {
            Ok(record) => record.told(),
            Err(error) => {
                let fatal = if error.is_partial() { "" } else { "fatal " };
                format!("{fatal}{:?}: {}", error.kind(), error.ids().join(", "))
            }
        }
    }
}

fn told<R: Told>(items: &[Result<R, Error>]) -> Vec<String> {
    items.iter().map(Told::told).collect()
}

async fn read<P: Paginator<Record: Told>>(paginator: &P) -> Vec<String> {
    told(&paginator.records().collect::<Vec<_>>().await)
}

async fn resume<P: Paginator<Record: Told>>(paginator: &P, from: &Checkpoint) -> Vec<String> {
    told(&paginator.read().resume(stored(from)).records().collect::<Vec<_>>().await)
}

/// What a reading of some pages gives, and what it asks for.
async fn flat(ids: impl IntoIterator<Item = u64>, pages: &[&str]) -> (Vec<String>, Vec<String>) {
    let script = Script::pages(pages);
    (read(&script.deals(ids)).await, script.asked())
}

async fn grouped(ids: impl IntoIterator<Item = u64>, pages: &[&str]) -> Vec<String> {
    read(&Script::pages(pages).deals(ids).grouped()).await
}

/// The error that is all that one answer gives.
async fn error_of(answer: Answer) -> Error {
    let reading = Script::new([answer]).deals([1]).into_read().retry(Retry::never());
    let mut items = reading.records().collect::<Vec<_>>().await;
    assert_eq!(items.len(), 1);
    items.remove(0).unwrap_err()
}

/// All that an error shows of itself and its sources.
fn shown(error: &Error) -> String {
    let sources = std::iter::successors(error.source(), |error| (*error).source());
    let sources = sources.map(ToString::to_string).collect::<Vec<_>>();
    format!("{error} {error:?} {error:#?} {sources:?}")
}

fn batch_sizes(service: &HubSpot) -> Vec<usize> {
    service.log().iter().map(|request| inputs(&request.body).split(' ').count()).collect()
}
