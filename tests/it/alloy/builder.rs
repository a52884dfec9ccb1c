//! Configurations that do not build.

use pagestream::{
    PaginatorExt,
    alloy::{Action, ParameterPosition},
};
use serde_json::{Value, json};

use super::{KEY, action, builder, invalid};
use crate::support::{CREDENTIAL, Script};

#[test]
fn a_missing_api_key_is_invalid() {
    let builder = Action::builder("hubspot", "listContacts").credential_id(CREDENTIAL);
    let message = invalid(builder.transport(Script::default().transport()));
    assert!(message.contains("API key"), "{message}");
}

#[test]
fn an_empty_api_key_is_invalid() {
    let message = invalid(builder(&Script::default()).api_key(""));
    assert!(message.contains("API key"), "{message}");
}

#[test]
fn a_missing_or_empty_credential_id_is_invalid() {
    let builder = || {
        let script = Script::default();
        Action::builder("hubspot", "listContacts").api_key(KEY).transport(script.transport())
    };
    for builder in [builder(), builder().credential_id("")] {
        let message = invalid(builder);
        assert!(message.contains("credential id"), "{message}");
    }
}

#[test]
fn a_connector_or_an_action_that_can_not_stand_in_a_path_is_invalid() {
    for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a b", "ä", "a\n"] {
        for (connector, action, what) in [(bad, "list", "connector"), ("hubspot", bad, "action")] {
            let builder = Action::builder(connector, action).api_key(KEY);
            let builder = builder.credential_id(CREDENTIAL);
            let message = invalid(builder.transport(Script::default().transport()));
            assert!(message.contains(what), "{message}");
        }
    }
}

#[test]
fn an_input_or_a_field_that_is_set_by_itself_is_invalid() {
    let script = Script::default();
    for name in ["limit", "offset"] {
        let message = invalid(builder(&script).input(name, 1));
        assert!(message.contains(name), "{message}");
    }
    for name in ["credentialId", "actionId", "input"] {
        let message = invalid(builder(&script).field(name, 1));
        assert!(message.contains(name), "{message}");
    }
    let positions = [
        (ParameterPosition::QueryParameters, "queryParameters"),
        (ParameterPosition::RequestBody, "requestBody"),
    ];
    for (position, name) in positions {
        let message = invalid(builder(&script).field(name, json!({})).parameters_in(position));
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_pointer_without_a_slash_is_invalid() {
    for bad in ["data", "$.data", "data/items", " /data"] {
        for builder in [
            builder(&Script::default()).data_at(bad),
            builder(&Script::default()).pagination_at(bad),
        ] {
            let message = invalid(builder);
            assert!(message.contains("JSON pointer"), "{message}");
        }
    }
}

#[test]
fn a_pointer_with_a_bad_escape_is_invalid() {
    // RFC 6901: a tilde stands only before 0 or 1.
    for bad in ["/a~", "/a~2b", "/~~0"] {
        let message = invalid(builder(&Script::default()).data_at(bad));
        assert!(message.contains("JSON pointer"), "{message}");
    }
}

#[test]
fn a_bad_base_url_is_invalid() {
    let bad =
        ["", "/", "production.runalloy.com", "ftp://host", "https://", "http://a b", "//host"];
    for bad in bad {
        let message = invalid(builder(&Script::default()).base_url(bad));
        assert!(message.contains("base URL"), "{message}");
    }
}

#[test]
fn a_base_url_with_a_query_or_a_fragment_is_invalid() {
    // The path of the action would end up in it.
    for bad in ["https://host?a=b", "https://host/?a=b", "https://host/#top"] {
        let message = invalid(builder(&Script::default()).base_url(bad));
        assert!(message.contains("base URL"), "{message}");
    }
}

#[test]
fn a_header_that_can_not_be_sent_is_invalid() {
    let script = Script::default();
    let builders = [
        (builder(&script).user_id("a\nb"), "x-alloy-userid"),
        (builder(&script).api_version("a\nb"), "x-api-version"),
    ];
    for (builder, header) in builders {
        let message = invalid(builder);
        assert!(message.contains(header), "{message}");
    }
}

#[test]
fn building_and_making_a_stream_ask_nothing_of_the_service() {
    let script = Script::default();
    let action = action(&script);
    drop((action.records(), action.pages(), action.clone().into_records()));
    assert_eq!(script.bodies(), Vec::<Value>::new());
}
