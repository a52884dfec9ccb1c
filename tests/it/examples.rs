//! Every example runs, and says what it promises to say.

use std::{
    io::Write,
    process::{Command, Stdio},
};

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
    let stdout = printed("connectors");
    assert_eq!(stdout.lines().count(), 9);
    for line in stdout.lines() {
        assert!(line.ends_with("47 records, in order: true"), "{line}");
    }
}

/// What `detect` prints for this input, and whether something fits.
fn detected(input: &str) -> (String, bool) {
    let mut detect = Command::new(env!("CARGO"));
    detect.args(["run", "--quiet", "--example", "detect"]);
    let mut detect =
        detect.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cargo runs");
    let mut stdin = detect.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads all");
    drop(stdin);
    let output = detect.wait_with_output().expect("it ends");
    (String::from_utf8(output.stdout).expect("it is text"), output.status.success())
}

#[test]
fn the_style_is_detected_in_a_body_and_in_what_curl_prints() {
    let (body, fits) = detected(r#"{"items": [{"id": 1}], "next_cursor": "b==", "more": true}"#);
    assert!(fits);
    assert!(body.starts_with("1. NextCursor: \"/next_cursor\" holds a cursor\nclient\n"), "{body}");
    let style = r#".pages(NextCursor::at("/next_cursor").into_query("cursor").more_at("/more"))"#;
    assert!(body.contains(style) && body.contains(r#".records_at("/items")"#), "{body}");
    assert!(!body.contains("b=="), "values are not shown: {body}");

    let (curl, fits) = detected(
        "HTTP/1.1 200 Connection established\r\n\r\n\
         HTTP/2 200 \r\ncontent-type: application/json\r\n\
         link: <https://api.example.com/x?page=2>; rel=\"next\"\r\n\
         X-Total-Pages: 7\r\n\r\n[{\"id\": 1}]\n",
    );
    assert!(fits);
    assert!(curl.contains("1. LinkHeader: ") && curl.contains("2. PageNumber: "), "{curl}");
    assert!(curl.contains(r#"PageNumber::query("page").pages_at(header("x-total-pages"))"#));
}

#[test]
fn where_no_style_fits_that_is_said() {
    for (input, status) in [
        ("<html></html>", "200 OK"),
        ("HTTP/1.1 404 Not Found\n\n{\"items\": [], \"next_cursor\": \"b\"}", "404 Not Found"),
    ] {
        let (output, fits) = detected(input);
        assert!(!fits);
        assert!(output.starts_with(&format!("No style fits: the status is {status}")), "{output}");
    }
}

/// What an example prints.
fn printed(name: &str) -> String {
    let mut example = Command::new(env!("CARGO"));
    let output = example.args(["run", "--quiet", "--example", name]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn a_connector_of_ones_own_is_cut_and_resumed() {
    let expected = "5 orders, up to Some(\"order 21\")\n7 more, from Some(\"order 22\")\n";
    assert_eq!(printed("custom_connector"), expected);
}

#[test]
fn a_list_with_a_header_link_is_read_to_its_last_page() {
    assert_eq!(printed("link_header"), "45 issues on 5 pages\nthe last one is 44: Issue 44\n");
}

#[test]
fn issues_and_their_comments_are_one_reading() {
    let expected = "45 issues with 668 comments\n\
                    the longest talk is about issue 22: 30 comments\n";
    assert_eq!(printed("nested"), expected);
}

#[test]
fn a_reading_that_failed_is_resumed_and_each_record_comes_once() {
    let printed = printed("resume");
    assert!(
        printed.starts_with("after 70 events: the service answered with an error"),
        "{printed}"
    );
    assert!(
        printed.ends_with("resumed: 30 more\neach event came exactly once: true\n"),
        "{printed}"
    );
}

#[test]
fn the_emulator_writes_what_is_read_and_answers_until_its_input_ends() {
    let folder = std::env::temp_dir().join(format!("pagestream-emulator-{}", std::process::id()));
    let mut emulator = Command::new(env!("CARGO"));
    emulator.args(["run", "--quiet", "--example", "emulator", "--", "120"]).arg(&folder);
    let output = emulator.stdin(Stdio::null()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.starts_with(b"http://127.0.0.1:"));
    for (name, count) in [("list", 109), ("archived", 11), ("batch_read", 100)] {
        let lines = std::fs::read_to_string(folder.join(name).with_extension("ndjson")).unwrap();
        assert_eq!(lines.lines().count(), count, "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_second_run_reads_what_has_come_since() {
    let expected = "first run: 100 events\n\
                    second run: events [100, 101, 102, 103, 104, 105, 106]\n\
                    third run: 0 events\n";
    assert_eq!(printed("incremental"), expected);
}

#[test]
fn services_are_merged_without_duplicates() {
    assert_eq!(printed("combine"), "145 records, each once\n");
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

#[test]
fn an_export_is_whole_or_goes_on_where_it_stopped() {
    /// What the example reads.
    const IDENTITY: &str = "GET /issues with 1f94503957e273d2";
    let folder = std::env::temp_dir().join(format!("pagestream-ndjson-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let export = || {
        let mut export = Command::new(env!("CARGO"));
        let export = export.args(["run", "--quiet", "--example", "export", "--"]).arg(&folder);
        let output = export.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert!(export().starts_with("45 issues in "));
    let whole = std::fs::read_to_string(folder.join("issues.ndjson")).unwrap();

    // As after a crash: a batch is written, and so is half of the next one.
    let place = r#"{"checkpoint":{"version":2,"identity":"IDENTITY","pages":1,"records":10,"requests":[],
        "waiting":[{"at":"/issues?page=2"}]},"bytes":BYTES}"#;
    let bytes = whole.lines().take(10).map(|line| line.len() + 1).sum::<usize>();
    let place = place.replace("BYTES", &bytes.to_string()).replace("IDENTITY", IDENTITY);
    std::fs::write(folder.join("issues.place"), place).unwrap();
    std::fs::write(folder.join("issues.ndjson.part"), &whole[..bytes + 20]).unwrap();
    let printed = export();
    assert!(printed.starts_with("it goes on behind 10 issues\n45 issues in "), "{printed}");
    let again = std::fs::read_to_string(folder.join("issues.ndjson")).unwrap();
    assert_eq!(again, whole);

    // A place without its file is of no use, and the export that is there stays as it is.
    let place = r#"{"checkpoint":{"version":2,"identity":"IDENTITY","pages":1,"records":10,"requests":[],
        "waiting":[{"at":"/issues?page=2"}]},"bytes":270}"#;
    std::fs::write(folder.join("issues.place"), place.replace("IDENTITY", IDENTITY)).unwrap();
    let mut export = Command::new(env!("CARGO"));
    let export = export.args(["run", "--quiet", "--example", "export", "--"]).arg(&folder);
    let output = export.output().expect("cargo runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("lacks records"), "{told}");
    let again = std::fs::read_to_string(folder.join("issues.ndjson")).unwrap();
    assert_eq!(again, whole);
    std::fs::remove_dir_all(&folder).unwrap();
}
