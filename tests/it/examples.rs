//! Every example runs, and says what it promises to say.

use std::process::Command;

use pagestream::testing::{HubSpot, Server};

/// Runs the tour with these variables in its environment. Gives back what it
/// printed to its standard output and its standard error.
fn tour(environment: &[(&str, String)]) -> (String, String) {
    let mut tour = Command::new(env!("CARGO"));
    tour.args(["run", "--quiet", "--example", "tour"]);
    for variable in ["HUBSPOT_TOKEN", "ALLOY_API_KEY", "HUBSPOT_TYPES", "ALLOY_ACTION"] {
        tour.env_remove(variable);
    }
    let output = tour.envs(environment.iter().cloned()).output().expect("cargo runs");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("it is text"));
    assert!(output.status.success(), "{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn the_tour_reads_both_services_and_each_record_comes_once() {
    let (stdout, stderr) = tour(&[]);
    let table = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let counts = |name: &str| {
        let row = table.clone().find(|row| row.first() == Some(&name)).expect("it has a row");
        row[1..].iter().map(|count| count.parse().expect("a number")).collect::<Vec<u64>>()
    };
    for (name, all) in [("HubSpot", 646), ("Alloy", 1_234)] {
        let row = counts(name);
        assert!(row[0] > 0 && row[1] > 0, "{name} is read before the stop and after it: {row:?}");
        assert_eq!(row[0] + row[1], all);
        assert_eq!(row[2..], [all, all, 0]);
    }
    assert_eq!(counts("HubSpot")[0] + counts("Alloy")[0], 1_000, "it stopped in the middle");
    assert!(stdout.contains("stopped after 1000 rows"));
    assert!(stdout.ends_with("Each record came exactly once.\n"));
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "no terminal, no bars");
    let message = "Object 515690208124 can't be read.";
    assert_eq!(stderr.matches(message).count(), 1, "the id that failed is named once: {stderr}");
}

#[tokio::test]
async fn with_a_token_and_a_base_url_the_tour_reads_that_service() {
    let service = HubSpot::new(9).objects(3).pages(|index| index);
    let server = Server::start(service.clone()).await.unwrap();
    let ids = service.ids().map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
    let environment = [
        ("HUBSPOT_TOKEN", "a-token-from-the-environment".to_owned()),
        ("HUBSPOT_BASE_URL", server.base_url()),
        ("HUBSPOT_TYPES", "contacts/tickets".to_owned()),
        ("HUBSPOT_IDS", ids),
    ];
    let run = tokio::task::spawn_blocking(move || tour(&environment));
    let (stdout, _) = run.await.unwrap();

    let row = stdout.lines().find(|line| line.starts_with("HubSpot")).expect("it has a row");
    assert!(row.split_whitespace().eq(["HubSpot", "6", "0", "6", "?", "0"]), "{row}");
    let log = service.log();
    assert_eq!(log.len(), 2);
    for request in log {
        assert_eq!(request.path, "/crm/associations/2026-03/contacts/tickets/batch/read");
        assert_eq!(request.headers["authorization"], "Bearer a-token-from-the-environment");
    }
}

#[test]
fn each_connector_reads_its_list_whole() {
    let mut connectors = Command::new(env!("CARGO"));
    connectors.args(["run", "--quiet", "--example", "connectors"]);
    let output = connectors.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(stdout.lines().count(), 9);
    for line in stdout.lines() {
        assert!(line.ends_with("47 records, in order: true"), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn a_recording_becomes_the_smallest_on_which_a_command_fails() {
    let folder = std::env::temp_dir().join(format!("pagestream-shrink-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let recording = folder.join("recording.har");
    let entry = |id: u32| {
        let body = serde_json::json!({"items": [{"id": id}, {"id": id + 100}]}).to_string();
        serde_json::json!({
            "request": {"method": "GET", "url": "/", "headers": []},
            "response": {"status": 200, "content": {"text": body}},
        })
    };
    let har = serde_json::json!({"log": {"entries": [entry(1), entry(2), entry(3)]}});
    std::fs::write(&recording, har.to_string()).unwrap();

    let mut shrink = Command::new(env!("CARGO"));
    shrink.args(["run", "--quiet", "--example", "shrink_fixture", "--"]).arg(&recording);
    shrink.args(["--", "sh", "-c", r#"! grep -q 102 "$FIXTURE""#]);
    let output = shrink.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let small = std::fs::read_to_string(folder.join("recording.small.har")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let body = r#"{"items":[{"id":102}]}"#;
    let expected = serde_json::json!({"log": {"entries": [{
        "request": {"method": "GET", "url": "/"},
        "response": {"status": 200, "content": {"text": body}},
    }]}});
    assert_eq!(serde_json::from_str::<serde_json::Value>(&small).unwrap(), expected);
}
