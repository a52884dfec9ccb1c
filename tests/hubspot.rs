//! The rules of reading HubSpot's batch associations, a test each.

use std::{
    collections::{HashMap, VecDeque},
    error::Error as _,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{
    Method, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use pagestream::{
    Checkpoint, Error, ErrorKind, Paginator, PaginatorExt, Retry, StopReason, Transport,
    hubspot::{ApiVersion, Association, Associations, AssociationsBuilder, Group, ObjectId},
    testing::{HubSpot, Server},
};
use serde_json::{Value, json};

const TOKEN: &str = "pat-na1-0c0ffee0-5ec2";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/hubspot/", $name, ".json"))
    };
}

// ---- A service that gives the answers of a test, once each

type Answer = (u16, Bytes);

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = answers.into_iter().collect();
        Self { answers: Arc::new(Mutex::new(answers)), requests: Arc::default() }
    }

    fn pages(pages: &[&str]) -> Self {
        Self::new(pages.iter().map(|text| page(text)))
    }

    fn transport(&self) -> impl Transport + use<> {
        let script = self.clone();
        move |request| std::future::ready(script.answer(request))
    }

    fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let (status, body) =
            answer.ok_or_else(|| Error::new(ErrorKind::Other, "unexpected request"))?;
        Ok(Response::builder().status(status).body(body).unwrap())
    }

    /// The paginator of some deals that reads this script.
    fn deals(&self, ids: impl IntoIterator<Item = u64>) -> Associations {
        deals(ids, self.transport()).build().unwrap()
    }

    /// The requests of a reading, which got all of the answers.
    fn requests(&self) -> Vec<Request<Bytes>> {
        assert_eq!(self.answers.lock().unwrap().len(), 0, "answers that nobody asked for");
        self.requests.lock().unwrap().clone()
    }

    /// The inputs of each request: `1 2@cursor`.
    fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| inputs(request.body())).collect()
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
/// an id without associations, `!3` one that is refused.
fn page(text: &str) -> Answer {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for word in text.split(' ') {
        match word.split_at(1) {
            ("-", id) => errors.push(no_associations(id)),
            ("!", id) => errors.push(refusal(&[id])),
            _ => rows.push(row(word)),
        }
    }
    envelope(&rows, &errors)
}

fn row(text: &str) -> Value {
    let (id, rest) = text.split_once(':').unwrap();
    let (to, after) = rest.split_once('>').map_or((rest, None), |(to, after)| (to, Some(after)));
    let kind = json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null});
    let to = to.split_terminator(',').map(|to| to.parse::<u64>().unwrap());
    let to = to.map(|to| json!({"toObjectId": to, "associationTypes": [kind]}));
    let mut row = json!({"from": {"id": id}, "to": to.collect::<Vec<_>>()});
    if let Some(after) = after {
        row["paging"] = json!({"next": {"after": after, "link": "https://elsewhere.example/?p=2"}});
    }
    row
}

fn refusal(ids: &[&str]) -> Value {
    json!({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "It can't be read.",
        "context": {"fromObjectId": ids, "fromObjectType": ["deal"], "toObjectType": ["company"]}})
}

fn no_associations(id: &str) -> Value {
    let mut entry = refusal(&[id]);
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

// ---- Readings as text: `1 -> 11`, `1 -> [11, 12]`, `Rejected: 1`, `fatal Status: `

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
    told(&paginator.read().resume(through_text(from)).records().collect::<Vec<_>>().await)
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

fn through_text(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort();
    items
}

fn assert_refused(builder: AssociationsBuilder) {
    assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Configuration);
}

// ---- The request

async fn uri_of(builder: impl FnOnce(AssociationsBuilder) -> AssociationsBuilder) -> String {
    let script = Script::pages(&["1:11"]);
    let associations = builder(deals([1], script.transport())).build().unwrap();
    assert_eq!(read(&associations).await, ["1 -> 11"]);
    script.requests()[0].uri().to_string()
}

#[tokio::test]
async fn the_default_path_is_2026_03() {
    let uri = "https://api.hubapi.com/crm/associations/2026-03/deals/companies/batch/read";
    assert_eq!(uri_of(|builder| builder).await, uri);
}

#[tokio::test]
async fn the_v4_path_by_choice() {
    let uri = "https://api.hubapi.com/crm/v4/associations/deals/companies/batch/read";
    assert_eq!(uri_of(|builder| builder.version(ApiVersion::V4)).await, uri);
}

#[tokio::test]
async fn the_base_url_can_be_set() {
    let uri = "http://[::1]:80/base/crm/associations/2026-03/deals/companies/batch/read";
    for base_url in ["http://[::1]:80/base", "http://[::1]:80/base/"] {
        assert_eq!(uri_of(|builder| builder.base_url(base_url)).await, uri);
    }
}

#[tokio::test]
async fn after_is_left_out_and_not_null_on_the_first_page() {
    let script = Script::new([(200, fixture!("batch_200").into()), page("515690208449:")]);
    read(&script.deals([515_690_208_449, 515_690_208_450])).await;
    let requests = script.requests();
    let bodies = [fixture!("batch_request"), fixture!("batch_request_after")];
    assert_eq!([requests[0].body(), requests[1].body()], bodies.map(str::trim_end));
    for request in requests {
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn the_token_is_sent_as_bearer_and_shown_nowhere() {
    let script = Script::pages(&["1:11"]);
    let builder = deals([1], script.transport());
    let associations = builder.clone().build().unwrap();
    let mut records = associations.records();
    records.next().await.unwrap().unwrap();

    let header = script.requests()[0].headers()[AUTHORIZATION].clone();
    assert_eq!(header, format!("Bearer {TOKEN}"));
    assert!(header.is_sensitive());
    let checkpoint = serde_json::to_string(&records.checkpoint().unwrap()).unwrap();
    let grouped = associations.clone().grouped();
    let shown = format!("{builder:?} {associations:?} {grouped:?} {records:?} {checkpoint}");
    assert!(!shown.contains(TOKEN), "{shown}");
}

async fn assert_hides_the_token(answer: Answer, kind: ErrorKind, says: &str) {
    let error = error_of(answer).await;
    assert_eq!(error.kind(), kind);
    assert!(error.to_string().contains(says), "{error}");
    assert!(!shown(&error).contains(TOKEN), "{}", shown(&error));
}

#[tokio::test]
async fn a_status_error_that_echoes_the_token_does_not_show_it() {
    let message = format!("The token {TOKEN} has expired");
    let answer = answer(401, &json!({"status": "error", "message": message}));
    assert_hides_the_token(answer, ErrorKind::Status, "has expired").await;
}

#[tokio::test]
async fn an_error_entry_that_echoes_the_token_does_not_show_it() {
    let mut entry = refusal(&["1"]);
    entry["message"] = json!(format!("The token {TOKEN} has no access"));
    let answer = envelope(&[], &[entry]);
    assert_hides_the_token(answer, ErrorKind::Rejected, "has no access").await;
}

#[tokio::test]
async fn a_decode_error_of_a_body_that_echoes_the_token_does_not_show_it() {
    let answer = answer(200, &json!({"results": TOKEN}));
    assert_hides_the_token(answer, ErrorKind::Decode, "").await;
}

// ---- The ids

#[tokio::test]
async fn ids_come_from_a_vec_or_any_iterator_as_numbers_or_strings() {
    let script = Script::pages(&["1:11 2:21 3:31 4:41 5:51 6:61"]);
    let ids = deals(vec![1, 2], script.transport()).ids((3..9).take_while(|id| *id < 4));
    let ids = ids.ids(["4"]).ids(vec![String::from("5")]).ids([&ObjectId::from(6)]);
    let records = ["1 -> 11", "2 -> 21", "3 -> 31", "4 -> 41", "5 -> 51", "6 -> 61"];
    assert_eq!(read(&ids.build().unwrap()).await, records);
    assert_eq!(script.asked(), ["1 2 3 4 5 6"]);
}

#[tokio::test]
async fn no_ids_make_no_request() {
    let script = Script::new([]);
    let associations = script.deals([]);
    let mut records = associations.clone().into_records();
    assert!(records.next().await.is_none());
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
    assert_eq!(read(&associations.grouped()).await, [""; 0]);
    assert_eq!(script.asked(), [""; 0]);
}

/// Also where they stand in different batches, and as a number and a string.
#[tokio::test]
async fn duplicate_ids_are_read_once() {
    let script = Script::pages(&["3:31 1:11", "2:21"]);
    let builder = deals([3, 1, 3, 2, 1], script.transport()).ids(["2", "3"]).batch_size(2);
    assert_eq!(read(&builder.build().unwrap()).await, ["3 -> 31", "1 -> 11", "2 -> 21"]);
    assert_eq!(script.asked(), ["3 1", "2"]);
}

/// What a service of one page an id holds.
fn held(service: &HubSpot) -> Vec<String> {
    let all = |id| service.associations(id).into_iter().map(move |to| format!("{id} -> {to}"));
    service.ids().flat_map(all).collect()
}

fn batch_sizes(service: &HubSpot) -> Vec<usize> {
    service.log().iter().map(|request| inputs(&request.body).split(' ').count()).collect()
}

#[tokio::test]
async fn a_request_holds_at_most_1000_inputs_and_fewer_by_choice() {
    let service = HubSpot::new(1).objects(2_500);
    assert_eq!(read(&deals(service.ids(), service.clone()).build().unwrap()).await, held(&service));
    assert_eq!(batch_sizes(&service), [1000, 1000, 500]);

    let service = HubSpot::new(1).objects(8);
    let smaller = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    assert_eq!(read(&smaller).await, held(&service));
    assert_eq!(batch_sizes(&service), [3, 3, 2]);
}

#[test]
fn a_batch_size_of_0_or_1001_is_refused() {
    for size in [0, 1001, usize::MAX] {
        assert_refused(deals([1], HubSpot::new(1)).batch_size(size));
    }
    for size in [1, 1000] {
        assert!(deals([1], HubSpot::new(1)).batch_size(size).build().is_ok());
    }
}

#[test]
fn an_empty_id_is_refused_by_build() {
    assert_refused(deals([1], HubSpot::new(1)).ids(["", "2"]));
}

#[test]
fn a_bad_object_type_is_refused_by_build() {
    for bad in ["", ".", "..", "deals/1", "de als", "deals?limit=1", "deals#", "d%2e", "größe"] {
        for (from, to) in [(bad, "companies"), ("deals", bad)] {
            let builder = Associations::builder(from, to).ids([1]).token(TOKEN);
            assert_refused(builder.transport(HubSpot::new(1)));
        }
    }
}

#[test]
fn a_token_that_is_missing_or_fits_no_header_is_refused_by_build() {
    assert_refused(Associations::builder("deals", "companies").transport(HubSpot::new(1)));
    let bad = deals([1], HubSpot::new(1)).token(format!("{TOKEN}\nx: y")).build().unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::Configuration);
    assert!(!shown(&bad).contains(TOKEN));
}

#[test]
fn an_empty_token_is_refused_by_build() {
    assert_refused(deals([1], HubSpot::new(1)).token(""));
}

#[test]
fn a_bad_base_url_is_refused_by_build() {
    for bad in ["", "api.hubapi.com", "ftp://api.hubapi.com", "https://", "http://a b"] {
        assert_refused(deals([1], HubSpot::new(1)).base_url(bad));
    }
}

// ---- Pages

#[tokio::test]
async fn an_id_is_read_until_its_after_is_gone() {
    let (items, asked) = flat([1], &["1:11>a", "1:12,13>b", "1:14"]).await;
    assert_eq!(items, ["1 -> 11", "1 -> 12", "1 -> 13", "1 -> 14"]);
    assert_eq!(asked, ["1", "1@a", "1@b"]);
}

#[tokio::test]
async fn an_empty_page_with_an_after_is_not_the_end() {
    let (items, asked) = flat([1], &["1:>a", "1:>b", "1:11"]).await;
    assert_eq!((items, asked.len()), (vec!["1 -> 11".to_owned()], 3));
}

#[tokio::test]
async fn an_empty_after_is_the_end() {
    let (items, asked) = flat([1], &["1:11>"]).await;
    assert_eq!((items, asked), (vec!["1 -> 11".to_owned()], vec!["1".to_owned()]));
}

#[tokio::test]
async fn each_id_goes_with_its_own_after() {
    let pages = ["1:11>a 2:21>b 3:31>c", "1:12>a2 2:22 3:32>a", "1: 3:"];
    let (items, asked) = flat([1, 2, 3], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "3 -> 31", "1 -> 12", "2 -> 22", "3 -> 32"]);
    assert_eq!(asked, ["1 2 3", "1@a 2@b 3@c", "1@a2 3@a"]);
}

#[tokio::test]
async fn a_finished_id_is_not_sent_again() {
    let (items, asked) = flat(1..=4, &["1:11 2:21>b -3 !4", "2:22"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Rejected: 4", "2 -> 22"]);
    assert_eq!(asked, ["1 2 3 4", "2@b"]);
}

/// Through a checkpoint's text too.
#[tokio::test]
async fn an_after_goes_back_byte_for_byte() {
    for after in ["MC0yLTQ0MjQ4ODczNTk0OA%3D%3D", "a+b/c== &?\"\\\n\t\u{0}é🦀", " ", "0", "null"]
    {
        let script = Script::new([envelope(&[row(&format!("1:11>{after}"))], &[]), page("1:12")]);
        let associations = script.deals([1]);
        let mut records = associations.records();
        assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
        assert_eq!(resume(&associations, &records.checkpoint().unwrap()).await, ["1 -> 12"]);
        assert_eq!(script.asked(), ["1".to_owned(), format!("1@{after}")]);
    }
}

#[tokio::test]
async fn link_is_never_followed() {
    let script = Script::pages(&["1:11>a", "1:12"]);
    assert_eq!(read(&script.deals([1])).await, ["1 -> 11", "1 -> 12"]);
    let requests = script.requests();
    assert_eq!(requests[1].uri(), requests[0].uri());
    assert_eq!(requests[1].method(), Method::POST);
}

#[tokio::test]
async fn leftovers_share_a_request_with_fresh_ids() {
    let script = Script::pages(&["1:11>a 2:21 3:31>c", "1:12 3:32 4:41>d", "4:42 5:51"]);
    let associations = deals(1..=5, script.transport()).batch_size(3).build().unwrap();
    let records = "1 -> 11|2 -> 21|3 -> 31|1 -> 12|3 -> 32|4 -> 41|4 -> 42|5 -> 51";
    assert_eq!(read(&associations).await.join("|"), records);
    assert_eq!(script.asked(), ["1 2 3", "1@a 3@c 4", "4@d 5"]);
}

#[tokio::test]
async fn leftovers_of_several_responses_share_a_request() {
    let script = Script::pages(&["1:11>a 2:21", "3:31>c 4:41", "1:12 3:32"]);
    let associations = deals(1..=4, script.transport()).batch_size(2).build().unwrap();
    let items = told(&associations.read().window(2).records().collect::<Vec<_>>().await);
    let records = ["1 -> 11", "1 -> 12", "2 -> 21", "3 -> 31", "3 -> 32", "4 -> 41"];
    assert_eq!(sorted(items), records);
    let asked = script.asked();
    assert_eq!(asked[..2], ["1 2", "3 4"]);
    assert_eq!(sorted(asked[2].split(' ').map(String::from).collect()), ["1@a", "3@c"]);
}

// ---- Results

#[tokio::test]
async fn a_record_is_an_association_with_its_types() {
    let script = Script::new([(200, fixture!("batch_200").into()), page("515690208449:")]);
    let associations = script.deals([515_690_208_449, 515_690_208_450]);
    let records = associations.records().try_collect::<Vec<_>>().await.unwrap();
    let unlabelled = json!({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": null});
    let primary = json!({"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"});
    let expected = json!([
        {"from": "515690208449", "to": "442222359747", "types": [unlabelled, primary]},
        {"from": "515690208449", "to": "442488735948", "types": [unlabelled]},
        {"from": "515690208450", "to": "442222359747", "types": [unlabelled]},
    ]);
    assert_eq!(serde_json::to_value(records).unwrap(), expected);
}

#[tokio::test]
async fn results_are_joined_on_from_id_whatever_their_order() {
    let (items, asked) = flat([1, 2, 3], &["3:31>c 1:11 2:21>b", "3:32 2:22"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "3 -> 31", "2 -> 22", "3 -> 32"]);
    assert_eq!(asked, ["1 2 3", "2@b 3@c"]);
}

#[tokio::test]
async fn records_come_in_the_order_of_the_request() {
    let (items, _) = flat([9, 2, 5], &["2:25,21 9:91 5:51"]).await;
    assert_eq!(items, ["9 -> 91", "2 -> 25", "2 -> 21", "5 -> 51"]);
}

#[tokio::test]
async fn ids_above_2_to_the_53_are_exact_as_numbers_and_as_strings() {
    let to = [json!(9_007_199_254_740_993_u64), json!("9007199254740995"), json!(u64::MAX)];
    let to = to.map(|to| json!({"toObjectId": to, "associationTypes": []}));
    let rows = [
        json!({"from": {"id": "9007199254740993"}, "to": to}),
        json!({"from": {"id": 9_007_199_254_740_997_u64}, "to": []}),
    ];
    let script = Script::new([envelope(&rows, &[])]);
    let associations = script.deals([9_007_199_254_740_993, 9_007_199_254_740_997]);
    let groups = [
        "9007199254740993 -> [9007199254740993, 9007199254740995, 18446744073709551615]",
        "9007199254740997 -> []",
    ];
    assert_eq!(read(&associations.grouped()).await, groups);
    assert_eq!(script.asked(), ["9007199254740993 9007199254740997"]);
}

#[tokio::test]
async fn an_unlabelled_type_has_no_label() {
    let types = json!([
        {"category": "USER_DEFINED", "typeId": 1, "label": null},
        {"category": "USER_DEFINED", "typeId": 2},
        {"category": "USER_DEFINED", "typeId": 3, "label": "Owner"},
    ]);
    let row = json!({"from": {"id": "1"}, "to": [{"toObjectId": 11, "associationTypes": types}]});
    let script = Script::new([envelope(&[row], &[])]);
    let record = script.deals([1]).into_records().next().await.unwrap().unwrap();
    let labels = record.types.iter().map(|kind| kind.label.as_deref()).collect::<Vec<_>>();
    assert_eq!(labels, [None, None, Some("Owner")]);
}

#[tokio::test]
async fn unknown_fields_and_categories_are_tolerated() {
    let categories = ["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK", "NEW ONE"];
    let types = categories.map(|name| json!({"category": name, "typeId": 7, "label": null}));
    let mut sent = types.clone();
    sent[0]["new"] = json!({"x": [1]});
    let mut entry = refusal(&["2"]);
    entry["subCategory"] = json!({"name": "NO_ASSOCIATIONS_FOUND"});
    entry["new"] = json!(1);
    let body = json!({
        "status": "COMPLETE", "new": 1, "requestedAt": "2026-03-30T13:46:24Z", "links": {"a": "b"},
        "results": [{"from": {"id": "1", "new": 1}, "new": [], "paging": {"new": 1}, "to": [
            {"toObjectId": 11, "associationTypes": sent, "new": null}
        ]}],
        "errors": [entry],
    });
    let script = Script::new([answer(200, &body)]);
    let items = script.deals([1, 2]).into_records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "Rejected: 2"]);
    let record = serde_json::to_value(items[0].as_ref().unwrap()).unwrap();
    assert_eq!(record, json!({"from": "1", "to": "11", "types": types}));
}

#[tokio::test]
async fn null_is_accepted_for_every_optional_field() {
    let mut rows = ["1:11", "2:21", "3:31>c"].map(row);
    rows[0]["paging"] = Value::Null;
    rows[1]["paging"] = json!({"next": null, "prev": null});
    rows[2]["paging"]["prev"] = Value::Null;
    rows[2]["paging"]["next"]["link"] = Value::Null;
    let mut entries = [refusal(&["4"]), no_associations("5")];
    entries[0]["subCategory"] = Value::Null;
    for entry in &mut entries {
        for optional in ["errors", "links", "id"] {
            entry[optional] = Value::Null;
        }
    }
    let first = json!({"status": "COMPLETE", "requestedAt": null, "links": null, "numErrors": null,
        "results": rows, "errors": entries});
    let last = json!({"results": [row("3:32")], "numErrors": null, "errors": null});
    let script = Script::new([answer(207, &first), answer(200, &last)]);
    let items = ["1 -> 11", "2 -> 21", "3 -> 31", "Rejected: 4", "3 -> 32"];
    assert_eq!(read(&script.deals(1..=5)).await, items);
}

#[tokio::test]
async fn an_unknown_envelope_status_is_tolerated() {
    for status in [json!("COMPLETE_WITH_ERRORS"), json!("PENDING"), json!("new"), Value::Null] {
        let body = json!({"status": status, "results": [row("1:11")]});
        let script = Script::new([answer(200, &body)]);
        assert_eq!(read(&script.deals([1])).await, ["1 -> 11"]);
    }
}

// ---- Errors that concern some ids alone

#[tokio::test]
async fn no_associations_found_is_an_empty_result() {
    let script = Script::new([(207, fixture!("batch_207").into())]);
    let mut records = script.deals([515_690_208_449]).into_records();
    assert!(records.next().await.is_none());
    assert_eq!(records.monitor().failed_ids(), [""; 0]);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}

#[tokio::test]
async fn no_associations_found_behind_a_page_ends_the_id() {
    let (items, asked) = flat([1, 2], &["1:11>a 2:21>b", "-1 2:22>c", "2:23"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "2 -> 22", "2 -> 23"]);
    assert_eq!(asked, ["1 2", "1@a 2@b", "2@c"]);
}

/// `OBJECT_NOT_FOUND` without that sub-category among them.
#[tokio::test]
async fn any_other_error_entry_names_its_id_and_the_good_records_still_come() {
    let script = Script::pages(&["1:11 3:31>c !2", "3:32"]);
    let items = script.deals([1, 2, 3]).into_records().collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "3 -> 31", "Rejected: 2", "3 -> 32"]);
    let error = items[2].as_ref().unwrap_err().to_string();
    assert!(error.contains("OBJECT_NOT_FOUND") && error.contains("It can't be read."), "{error}");
}

/// What the ids from 1 give if one answer with one entry comes.
async fn with_entry(ids: u64, rows: &[&str], entry: &Value) -> Vec<String> {
    let rows = rows.iter().map(|text| row(text)).collect::<Vec<_>>();
    read(&Script::new([envelope(&rows, std::slice::from_ref(entry))]).deals(1..=ids)).await
}

#[tokio::test]
async fn an_error_entry_names_all_of_its_ids() {
    let items = with_entry(3, &["2:21"], &refusal(&["1", "3"])).await;
    assert_eq!(items, ["2 -> 21", "Rejected: 1", "Rejected: 3"]);
}

#[tokio::test]
async fn neither_the_object_types_nor_the_other_end_are_ids_of_an_error_entry() {
    for key in ["fromObjectId", "id"] {
        let mut entry = refusal(&[]);
        entry["context"] = json!({key: ["1"], "toObjectId": ["2"], "fromObjectType": ["deal"]});
        assert_eq!(with_entry(2, &["2:21"], &entry).await, ["2 -> 21", "Rejected: 1"], "{key}");
    }
}

#[tokio::test]
async fn an_error_entry_without_context_is_still_an_error() {
    for context in [Value::Null, json!({})] {
        let entry = json!({"status": "error", "category": "INTERNAL", "context": context});
        let items = sorted(with_entry(2, &["1:11"], &entry).await);
        assert_eq!(items, ["1 -> 11", "Contradiction: 2", "Rejected: "]);
    }
}

#[tokio::test]
async fn errors_with_status_200_are_read_like_207() {
    for status in [200, 202, 207] {
        let (_, body) = page("1:11 !2 -3");
        let script = Script::new([(status, body)]);
        assert_eq!(read(&script.deals([1, 2, 3])).await, ["1 -> 11", "Rejected: 2"]);
    }
}

#[tokio::test]
async fn an_id_that_comes_back_nowhere_is_an_error_naming_it() {
    let (items, asked) = flat(1..=3, &["1:11>a 3:31>c", "3:32"]).await;
    assert_eq!(items, ["1 -> 11", "3 -> 31", "Contradiction: 2", "3 -> 32", "Contradiction: 1"]);
    assert_eq!(asked, ["1 2 3", "1@a 3@c"]);
}

/// A finished id that comes back is one too.
#[tokio::test]
async fn an_id_that_was_not_asked_for_is_an_error_naming_it() {
    let (items, asked) = flat([1, 2], &["9:91>x 1:11>a 2:21", "2:22 1:12"]).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Contradiction: 9", "1 -> 12", "Contradiction: 2"]);
    assert_eq!(asked, ["1 2", "1@a"]);
}

/// Alone, beside one that was asked for, and as one without associations.
#[tokio::test]
async fn an_id_that_was_not_asked_for_is_named_in_errors_too() {
    let mut named = Vec::new();
    for entry in [refusal(&["9"]), refusal(&["9", "2"]), no_associations("9")] {
        let items = with_entry(3, &["1:11", "2:21", "3:31"], &entry).await;
        assert_eq!(items[..3], ["1 -> 11", "2 -> 21", "3 -> 31"]);
        let ids = items[3..].iter().filter_map(|error| error.split_once(": "));
        named.push(sorted(ids.flat_map(|(_, ids)| ids.split(", ")).map(String::from).collect()));
    }
    assert_eq!(named, [vec!["9"], vec!["2", "9"], vec!["9"]]);
}

#[tokio::test]
async fn an_id_that_comes_back_twice_is_an_error_naming_it() {
    let pages = ["1:11>a 2:21 1:12>b"];
    let (items, asked) = flat([1, 2], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "Contradiction: 1"]);
    assert_eq!(asked, ["1 2"]);
    assert_eq!(grouped([1, 2], &pages).await, ["2 -> [21]", "Contradiction: 1"]);
}

#[tokio::test]
async fn an_id_without_its_associations_is_an_error_naming_it() {
    let rows = [json!({"from": {"id": "1"}}), json!({"from": {"id": "2"}, "to": null})];
    let script = Script::new([envelope(&rows, &[])]);
    assert_eq!(read(&script.deals([1, 2])).await, ["Contradiction: 1", "Contradiction: 2"]);
}

/// What came with the repeated `after` is not given out: the service may have
/// given the page before again.
#[tokio::test]
async fn an_id_whose_after_repeats_fails_alone() {
    let pages = ["1:11>a 2:21>x", "1:11>a 2:22>y", "2:23"];
    let (items, asked) = flat([1, 2], &pages).await;
    assert_eq!(items, ["1 -> 11", "2 -> 21", "2 -> 22", "Loop: 1", "2 -> 23"]);
    assert_eq!(asked, ["1 2", "1@a 2@x", "2@y"]);
}

#[tokio::test]
async fn an_id_whose_after_repeats_on_a_later_page_is_not_asked_for_again() {
    for depth in 1..8 {
        let after = |page: usize| format!("1:{page}>{page}");
        let pages = (0..depth).map(after).chain([after(depth - 1)]).collect::<Vec<_>>();
        let pages = pages.iter().map(String::as_str).collect::<Vec<_>>();
        let (items, asked) = flat([1], &pages).await;
        assert_eq!(items.last().unwrap(), "Loop: 1");
        assert_eq!(asked.len(), depth + 1);
    }
}

/// A, B, A, B: found within nine requests.
#[tokio::test]
async fn an_id_whose_afters_go_in_a_cycle_fails_alone() {
    let requests = Mutex::new(0);
    let service = move |request: Request<Bytes>| {
        let mut requests = requests.lock().unwrap();
        *requests += 1;
        let asked = inputs(request.body());
        let rows = asked.split(' ').map(|input| match input {
            "1" | "1@b" => "1:11>a",
            "1@a" => "1:12>b",
            "2" => "2:21>c",
            "2@c" => "2:22>d",
            _ => "2:23",
        });
        let body = page(&rows.collect::<Vec<_>>().join(" ")).1;
        let endless = Error::new(ErrorKind::Other, "endless");
        std::future::ready(if *requests > 9 { Err(endless) } else { Ok(Response::new(body)) })
    };
    let items = read(&deals([1, 2], service).build().unwrap()).await;
    let (of_1, others) = items.iter().partition::<Vec<_>, _>(|item| item.starts_with("1 -> "));
    assert_eq!(others, ["2 -> 21", "2 -> 22", "2 -> 23", "Loop: 1"]);
    assert_eq!(of_1[..2], ["1 -> 11", "1 -> 12"]);
}

#[tokio::test]
async fn at_the_end_failed_ids_are_those_that_were_not_read_whole() {
    let script = Script::pages(&["1:11 2:21>b 3:31>c 5:51 5:51 -6 !7", "2:22 3:31>c"]);
    let mut records = script.deals(1..=7).into_records();
    while records.next().await.is_some() {}
    assert_eq!(sorted(records.monitor().failed_ids()), ["3", "4", "5", "7"]);
    assert_eq!(records.monitor().progress().failures, 4);
    assert_eq!(records.monitor().progress().stop, Some(StopReason::End));
}

// ---- Errors that end the stream

#[tokio::test]
async fn a_429_or_400_is_a_fatal_error_with_status_and_the_services_message() {
    for (status, body, message) in [
        (429, fixture!("429_burst"), "You have reached your ten_secondly_rolling limit."),
        (429, fixture!("429_daily"), "You have reached your daily limit."),
        (429, fixture!("429_search"), "You have reached your secondly limit."),
        (400, fixture!("400_too_many_inputs"), "maximum number of inputs supported in a batch is"),
    ] {
        let error = error_of((status, body.into())).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(status)));
        assert!(error.to_string().contains(message), "{error}");
        assert!(!error.is_partial());
    }
}

#[tokio::test]
async fn a_status_that_passes_is_worth_a_retry_and_a_refusal_is_not() {
    for status in [423, 477, 502, 503, 504, 521, 524] {
        assert!(error_of((status, "".into())).await.is_retryable(), "{status}");
    }
    for status in [400, 401, 403, 404] {
        assert!(!error_of((status, "".into())).await.is_retryable(), "{status}");
    }
}

#[tokio::test]
async fn an_after_that_has_expired_is_an_error_of_its_own_and_is_not_retried() {
    let unknown = r#"{"category":"VALIDATION_ERROR","message":"The paging cursor is not valid"}"#;
    let wrong = r#"{"category":"VALIDATION_ERROR","message":"The object type is not valid"}"#;
    for (status, body, kind) in [
        (400, unknown, ErrorKind::Expired),
        (410, "", ErrorKind::Expired),
        (400, wrong, ErrorKind::Status),
    ] {
        let script = Script::new([page("1:11>a"), (status, body.into())]);
        let associations = script.deals([1]);
        let mut records = associations.records();
        assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
        let error = records.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{body}");
        assert_eq!((error.is_retryable(), error.attempts()), (false, 1), "{body}");
        assert_eq!(script.asked(), ["1", "1@a"]);
    }
}

#[tokio::test]
async fn a_429_is_worth_a_retry_unless_the_limit_is_the_days() {
    for body in [fixture!("429_burst"), fixture!("429_search")] {
        assert!(error_of((429, body.into())).await.is_retryable(), "{body}");
    }
    assert!(!error_of((429, fixture!("429_daily").into())).await.is_retryable());
}

#[tokio::test]
async fn a_body_without_results_is_a_decode_error() {
    for body in ["{}", r#"{"results":null}"#, "[]", "", "<html></html>", r#"{"results":[{"fr"#] {
        let error = error_of((200, body.into())).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{body}");
        assert!(!error.is_partial());
    }
}

#[tokio::test]
async fn a_fatal_error_carries_a_checkpoint_and_resuming_gives_exactly_the_rest() {
    let busy = (503, Bytes::new());
    let script = Script::new([page("1:11>a 2:21"), busy, page("1:12 3:31>c"), page("3:32")]);
    let associations = deals([1, 2, 3], script.transport()).batch_size(2).build().unwrap();
    let mut records = associations.read().retry(Retry::never()).records();
    let items = records.by_ref().take(3).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "2 -> 21", "fatal Status: "]);
    assert!(records.next().await.is_none());

    let error = items[2].as_ref().unwrap_err();
    assert_eq!((error.page(), error.status()), (Some(2), Some(503)));
    let cursor = serde_json::from_str::<Value>(error.cursor().unwrap()).unwrap();
    assert_eq!(cursor["inputs"], json!([{"id": "1", "after": "a"}]));
    let checkpoint = error.checkpoint().unwrap();
    assert_eq!((checkpoint.pages(), checkpoint.records()), (1, 2));
    assert_eq!(resume(&associations, checkpoint).await, ["1 -> 12", "3 -> 31", "3 -> 32"]);
    assert_eq!(script.asked(), ["1 2", "1@a 3", "1@a 3", "3@c"]);
}

#[tokio::test]
async fn a_cursor_goes_back_as_a_string_or_a_number_just_as_it_came() {
    let row = |id: u64, to: u64, after: Value| json!({"from": {"id": id}, "to": [{"toObjectId": to}], "paging": {"next": {"after": after}}});
    let script = Script::new([
        envelope(&[row(1, 11, json!(7)), row(2, 21, json!("7")), row(3, 31, json!(0))], &[]),
        envelope(&[row(1, 12, json!("")), row(2, 22, json!("")), row(3, 32, json!(null))], &[]),
    ]);
    let associations = script.deals([1, 2, 3]);
    let mut records = associations.records();
    let begun = records.by_ref().take(3).collect::<Vec<_>>().await;
    let rest = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(told(&begun), ["1 -> 11", "2 -> 21", "3 -> 31"]);
    assert_eq!(rest, ["1 -> 12", "2 -> 22", "3 -> 32"]);
    let body = serde_json::from_slice::<Value>(script.requests()[1].body()).unwrap();
    assert_eq!(
        body["inputs"],
        json!([{"id": "1", "after": 7}, {"id": "2", "after": "7"}, {"id": "3", "after": 0}])
    );
}

// ---- The grouped view

#[tokio::test]
async fn a_group_has_all_associations_of_its_id_in_page_order() {
    let pages = ["1:19,11>a 2:21>x", "2:29>y 1:15>b", "1:10 2:22"];
    assert_eq!(grouped([1, 2], &pages).await, ["1 -> [19, 11, 15, 10]", "2 -> [21, 29, 22]"]);
}

#[tokio::test]
async fn a_group_comes_as_soon_as_its_id_is_read_whole() {
    let script = Script::pages(&["1:11>a 2:21", "1:12>b 3:31", "1:13 4:41"]);
    let associations = deals(1..=4, script.transport()).batch_size(2).build().unwrap();
    let mut groups = associations.grouped().into_records();
    for (group, requests) in
        [("2 -> [21]", 1), ("3 -> [31]", 2), ("1 -> [11, 12, 13]", 3), ("4 -> [41]", 3)]
    {
        assert_eq!(groups.next().await.unwrap().told(), group);
        assert_eq!(groups.monitor().progress().requests, requests);
    }
    assert!(groups.next().await.is_none());
}

#[tokio::test]
async fn an_id_without_associations_gives_an_empty_group() {
    let groups = grouped(1..=4, &["1: -2 3:31>c 4:>d", "-3 4:"]).await;
    assert_eq!(groups, ["1 -> []", "2 -> []", "3 -> [31]", "4 -> []"]);
}

/// Also if it fails behind pages that were good.
#[tokio::test]
async fn a_failed_id_gives_its_error_and_no_group() {
    let items = grouped(1..=5, &["1:11>a 2:21>b 3:31 !4", "2:22>b !1"]).await;
    let errors = ["Rejected: 4", "Contradiction: 5", "Rejected: 1", "Loop: 2"];
    assert_eq!(items[0], "3 -> [31]");
    assert_eq!(items[1..], errors);
}

/// The checkpoint has all that a grouped reading holds but for the page in hand.
#[tokio::test]
async fn only_open_ids_are_held() {
    let pages = ["101:901 102:902>b 103:903>c", "102:912 103:913>d", "103:923"];
    let mut groups = Script::pages(&pages).deals(101..=103).grouped().into_records();
    let ids = [101, 102, 103, 901, 902, 903, 912, 913, 923].map(|id| id.to_string());
    for held in [&["102", "103", "902", "903"][..], &["103", "903", "913"], &[]] {
        groups.next().await.unwrap().unwrap();
        let checkpoint = serde_json::to_string(&groups.checkpoint().unwrap()).unwrap();
        let found = ids.iter().filter(|id| checkpoint.contains(&format!("\"{id}\"")));
        assert_eq!(found.collect::<Vec<_>>(), held);
    }
}

// ---- Checkpoints

/// Depths from none to four pages, and some that fail; three ids a request.
fn small() -> (HubSpot, Associations) {
    let service = HubSpot::new(5).objects(17).pages(|place| place % 5);
    let service = service.failing(|place| place % 4 == 1);
    let associations = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    (service, associations)
}

/// What a reading of the small service gives, sorted; `view` tells an id.
fn whole(view: impl Fn(u64, &[u64]) -> Vec<String>) -> Vec<String> {
    let service = small().0;
    let items = service.ids().enumerate().flat_map(|(place, id)| match place % 4 {
        1 => vec![format!("Rejected: {id}")],
        _ => view(id, &service.associations(id)),
    });
    sorted(items.collect())
}

/// Cuts a reading behind every item, resumes each with a new paginator, and
/// compares records and errors with the uncut reading.
async fn assert_cut<P: Paginator<Record: Told>>(paginator: impl Fn() -> P, whole: &[String]) {
    let uncut = read(&paginator()).await;
    assert_eq!(sorted(uncut.clone()), whole);
    let failed = whole.iter().filter_map(|item| item.strip_prefix("Rejected: "));
    let failed = failed.collect::<Vec<_>>();
    for (window, cut) in [1, 3].into_iter().flat_map(|n| (0..=uncut.len()).map(move |i| (n, i))) {
        let (first, second) = (paginator(), paginator());
        let mut stream = first.read().window(window).records();
        let mut items = told(&stream.by_ref().take(cut).collect::<Vec<_>>().await);
        let checkpoint = through_text(&stream.checkpoint().unwrap());
        let mut rest = second.read().window(window).resume(checkpoint).records();
        items.extend(told(&rest.by_ref().collect::<Vec<_>>().await));

        if window == 1 {
            assert_eq!(items, uncut, "cut at {cut}");
        }
        assert_eq!(sorted(items), whole, "cut at {cut}, window {window}");
        assert_eq!(sorted(rest.monitor().failed_ids()), failed);
        assert_eq!(rest.monitor().progress().records, (whole.len() - failed.len()) as u64);
        assert!(rest.checkpoint().unwrap().is_finished());
    }
}

/// Each stream gives one item, and the next goes on from its checkpoint.
async fn assert_cut_again<P: Paginator<Record: Told>>(paginator: impl Fn() -> P, whole: &[String]) {
    let mut items = Vec::new();
    let first = paginator();
    let mut checkpoint = first.records().checkpoint().unwrap();
    loop {
        let next = paginator();
        let mut stream = next.read().resume(through_text(&checkpoint)).records();
        let Some(item) = stream.next().await else { break };
        items.push(item.told());
        assert!(items.len() <= whole.len(), "{items:?}");
        checkpoint = stream.checkpoint().unwrap();
    }
    assert_eq!(sorted(items), whole);
}

#[tokio::test]
async fn a_reading_cut_at_every_record_and_resumed_gives_the_whole() {
    let whole = whole(|id, to| to.iter().map(|to| format!("{id} -> {to}")).collect());
    assert_cut(|| small().1, &whole).await;
    assert_cut_again(|| small().1, &whole).await;
}

#[tokio::test]
async fn a_reading_cut_at_every_group_and_resumed_gives_the_whole() {
    let whole = whole(|id, to| vec![format!("{id} -> {to:?}")]);
    assert_cut(|| small().1.grouped(), &whole).await;
    assert_cut_again(|| small().1.grouped(), &whole).await;
}

#[tokio::test]
async fn a_reading_resumed_within_a_page_asks_for_what_is_left_of_it_alone() {
    let pages = ["1:11,12 2:21,22>b 3:31", "2:21,22>b 3:31", "2:23 4:41"];
    let script = Script::pages(&pages);
    let associations = deals(1..=4, script.transport()).batch_size(3).build().unwrap();
    let mut records = associations.records();
    let items = records.by_ref().take(3).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "1 -> 12", "2 -> 21"]);
    let rest = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(rest, ["2 -> 22", "3 -> 31", "2 -> 23", "4 -> 41"]);
    assert_eq!(script.asked(), ["1 2 3", "2 3", "2@b 4"]);
}

#[tokio::test]
async fn an_id_whose_error_was_not_out_is_read_whole_if_it_succeeds_after_a_resume() {
    let script = Script::pages(&["1:11 !2 3:31>c", "2:21>b", "2:22 3:32"]);
    let associations = script.deals(1..=3);
    let mut records = associations.records();
    let items = records.by_ref().take(2).collect::<Vec<_>>().await;
    assert_eq!(told(&items), ["1 -> 11", "3 -> 31"]);
    let rest = resume(&associations, &records.checkpoint().unwrap()).await;
    assert_eq!(rest, ["2 -> 21", "2 -> 22", "3 -> 32"]);
    assert_eq!(script.asked(), ["1 2 3", "2", "2@b 3@c"]);
}

/// Neither an id without associations, nor one whose page is in the checkpoint.
#[tokio::test]
async fn a_resumed_reading_does_not_ask_again_for_an_id_with_nothing_left_in_the_page() {
    let script = Script::pages(&["1:11 2:21 -3", "2:21"]);
    let flat = script.deals(1..=3);
    let mut records = flat.records();
    assert_eq!(records.next().await.unwrap().told(), "1 -> 11");
    assert_eq!(resume(&flat, &records.checkpoint().unwrap()).await, ["2 -> 21"]);
    assert_eq!(script.asked(), ["1 2 3", "2"]);

    let script = Script::pages(&["1:11 2:21 3:31>c", "2:21", "3:32"]);
    let grouped = script.deals(1..=3).grouped();
    let mut groups = grouped.records();
    assert_eq!(groups.next().await.unwrap().told(), "1 -> [11]");
    let rest = resume(&grouped, &groups.checkpoint().unwrap()).await;
    assert_eq!(rest, ["2 -> [21]", "3 -> [31, 32]"]);
    assert_eq!(script.asked(), ["1 2 3", "2", "3@c"]);
}

/// It may be what the failed request needs.
#[tokio::test]
async fn a_resumed_reading_keeps_to_a_smaller_batch_size() {
    let service = HubSpot::new(1).objects(7);
    let script = Script::new([(504, Bytes::new())]);
    let reading = script.deals(service.ids()).into_read().retry(Retry::never());
    let mut records = reading.records();
    assert_eq!(records.next().await.unwrap().told(), "fatal Status: ");
    let smaller = deals(service.ids(), service.clone()).batch_size(3).build().unwrap();
    assert_eq!(resume(&smaller, &records.checkpoint().unwrap()).await, held(&service));
    assert_eq!(batch_sizes(&service), [3, 3, 1]);
}

#[tokio::test]
async fn a_checkpoint_goes_on_with_another_token_host_and_batch_size() {
    let service = HubSpot::new(1).objects(7);
    let builder = deals(service.ids(), service.clone());
    let mut records = builder.clone().batch_size(3).build().unwrap().into_records();
    records.next().await.unwrap().unwrap();
    let other = builder.token("other").base_url("http://localhost").batch_size(5).build().unwrap();
    assert_eq!(resume(&other, &records.checkpoint().unwrap()).await, held(&service)[1..]);
}

#[tokio::test]
async fn a_checkpoint_of_other_ids_types_path_or_view_is_refused() {
    let service = HubSpot::new(1);
    let this = deals([1, 2], service.clone());
    let checkpoint = this.clone().build().unwrap().records().checkpoint().unwrap();
    let types = Associations::builder("deals", "contacts").ids([1, 2]).token(TOKEN);
    let others = [
        this.clone().ids([3]),
        deals([1, 3], service.clone()),
        types.transport(service.clone()),
        this.clone().version(ApiVersion::V4),
    ];
    for other in others {
        let items = resume(&other.build().unwrap(), &checkpoint).await;
        assert_eq!(items, ["fatal Checkpoint: "]);
    }
    let grouped = this.build().unwrap().grouped();
    assert_eq!(resume(&grouped, &checkpoint).await, ["fatal Checkpoint: "]);
    assert_eq!(service.requests(), 0);
}

// ---- At size

#[tokio::test]
async fn ten_thousand_ids_over_http_come_out_complete_in_few_requests() {
    let service = HubSpot::new(11).objects(10_400).pages(|place| 1 + place * 37 % 50);
    let service = service.counting_only();
    let server = Server::start(service.clone()).await.unwrap();
    let builder = Associations::builder("deals", "companies").ids(service.ids()).token(TOKEN);
    let associations = builder.base_url(server.base_url()).build().unwrap();

    let mut read = HashMap::<ObjectId, Vec<ObjectId>>::new();
    let mut records = associations.records();
    while let Some(record) = records.try_next().await.unwrap() {
        read.entry(record.from).or_default().push(record.to);
    }
    assert_eq!(read.len(), 10_400);
    for id in service.ids() {
        let held = service.associations(id).into_iter().map(ObjectId::from).collect::<Vec<_>>();
        assert_eq!(read[&ObjectId::from(id)], held, "id {id}");
    }
    let pages = service.ids().map(|id| service.pages_of(id)).collect::<Vec<_>>();
    let least = pages.iter().sum::<usize>().div_ceil(1000).max(*pages.iter().max().unwrap());
    println!("{} requests, {least} at the least", service.requests());
    assert!(2 * service.requests() <= 3 * least);
}

/// A unit is an id's page: 10,000 first pages and 400 others, 1000 a request,
/// the last ones one after another.
#[tokio::test]
async fn one_id_in_a_hundred_with_five_pages_costs_five_requests_more_boxed_or_not() {
    let service = HubSpot::new(5).objects(10_000);
    let service = service.pages(|place| if place % 100 == 0 { 5 } else { 1 }).counting_only();
    let associations = deals(service.ids(), service.clone()).build().unwrap();
    let records: Vec<_> = associations.records().try_collect().await.unwrap();
    assert_eq!((records.len(), service.requests()), (20_800, 15));
    let boxed: Vec<_> = associations.boxed().into_records().try_collect().await.unwrap();
    assert_eq!((boxed == records, service.requests()), (true, 30));
}

/// A million ids that wait stand as a range in a checkpoint.
#[tokio::test]
async fn a_checkpoint_is_small_however_many_ids_wait() {
    let service = HubSpot::new(5).objects(1_000_000).counting_only();
    let associations = deals(service.ids(), service.clone()).build().unwrap();
    let mut records = associations.records();
    records.try_next().await.unwrap().unwrap();
    let checkpoint = serde_json::to_value(records.checkpoint().unwrap()).unwrap();
    assert_eq!(checkpoint["waiting"], json!([{"fresh": {"start": 1_000, "end": 1_000_000}}]));
    let bytes = checkpoint.to_string().len();
    assert!(bytes < 10_000, "{bytes} bytes");
    drop(records);
    assert_eq!(service.requests(), 1);
}
