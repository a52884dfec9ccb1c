//! What a builder refuses.

use pagestream::{
    PaginatorExt,
    alloy::{Action, ParameterPosition},
};
use serde_json::{Value, json};

use super::{KEY, action, builder, refusal};
use crate::support::{CREDENTIAL, Script};

#[test]
fn a_missing_api_key_is_refused() {
    let builder = Action::builder("hubspot", "listContacts").credential_id(CREDENTIAL);
    let refusal = refusal(builder.transport(Script::default().transport()));
    assert!(refusal.contains("API key"), "{refusal}");
}

#[test]
fn an_empty_api_key_is_refused() {
    let refusal = refusal(builder(&Script::default()).api_key(""));
    assert!(refusal.contains("API key"), "{refusal}");
}

#[test]
fn a_missing_or_empty_credential_id_is_refused() {
    let builder = || {
        let script = Script::default();
        Action::builder("hubspot", "listContacts").api_key(KEY).transport(script.transport())
    };
    for builder in [builder(), builder().credential_id("")] {
        let refusal = refusal(builder);
        assert!(refusal.contains("credential id"), "{refusal}");
    }
}

#[test]
fn a_connector_or_an_action_that_can_not_stand_in_a_path_is_refused() {
    for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "ä", "a\n"] {
        for (connector, action, what) in [(bad, "list", "connector"), ("hubspot", bad, "action")] {
            let builder = Action::builder(connector, action).api_key(KEY);
            let builder = builder.credential_id(CREDENTIAL);
            let refusal = refusal(builder.transport(Script::default().transport()));
            assert!(refusal.contains(what), "{refusal}");
        }
    }
}

#[test]
fn an_input_or_a_field_that_is_set_by_itself_is_refused() {
    let script = Script::default();
    for name in ["limit", "offset"] {
        let refusal = refusal(builder(&script).input(name, 1));
        assert!(refusal.contains(name), "{refusal}");
    }
    for name in ["credentialId", "actionId", "input"] {
        let refusal = refusal(builder(&script).field(name, 1));
        assert!(refusal.contains(name), "{refusal}");
    }
    let places = [
        (ParameterPosition::QueryParameters, "queryParameters"),
        (ParameterPosition::RequestBody, "requestBody"),
    ];
    for (place, name) in places {
        let refusal = refusal(builder(&script).field(name, json!({})).parameters_in(place));
        assert!(refusal.contains(name), "{refusal}");
    }
}

#[test]
fn a_place_that_is_no_pointer_is_refused() {
    for bad in ["data", "$.data", "data/items", " /data"] {
        for builder in [
            builder(&Script::default()).data_at(bad),
            builder(&Script::default()).pagination_at(bad),
        ] {
            let refusal = refusal(builder);
            assert!(refusal.contains("JSON pointer"), "{refusal}");
        }
    }
}

#[test]
fn a_pointer_with_a_bad_escape_is_refused() {
    // RFC 6901: a tilde stands only before 0 or 1.
    for bad in ["/a~", "/a~2b", "/~~0"] {
        let refusal = refusal(builder(&Script::default()).data_at(bad));
        assert!(refusal.contains("JSON pointer"), "{refusal}");
    }
}

#[test]
fn a_bad_base_url_is_refused() {
    let bad =
        ["", "/", "production.runalloy.com", "ftp://host", "https://", "http://a b", "//host"];
    for bad in bad {
        let refusal = refusal(builder(&Script::default()).base_url(bad));
        assert!(refusal.contains("base URL"), "{refusal}");
    }
}

#[test]
fn a_base_url_with_a_query_or_a_fragment_is_refused() {
    // The path of the action would end up in it.
    for bad in ["https://host?a=b", "https://host/?a=b", "https://host/#top"] {
        let refusal = refusal(builder(&Script::default()).base_url(bad));
        assert!(refusal.contains("base URL"), "{refusal}");
    }
}

#[test]
fn a_header_that_can_not_be_sent_is_refused() {
    let script = Script::default();
    let refusals = [
        (builder(&script).user_id("a\nb"), "x-alloy-userid"),
        (builder(&script).api_version("a\nb"), "x-api-version"),
    ];
    for (builder, header) in refusals {
        let refusal = refusal(builder);
        assert!(refusal.contains(header), "{refusal}");
    }
}

#[test]
fn building_and_making_a_stream_ask_nothing_of_the_service() {
    let script = Script::default();
    let action = action(&script);
    drop((action.records(), action.pages(), action.clone().into_records()));
    assert_eq!(script.bodies(), Vec::<Value>::new());
}
