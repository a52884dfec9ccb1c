//! Every example runs, and says what it promises to say.

use std::process::Command;

#[test]
fn the_tour_reads_both_services_and_each_record_comes_once() {
    let mut tour = Command::new(env!("CARGO"));
    tour.args(["run", "--quiet", "--example", "tour"]);
    for variable in ["HUBSPOT_TOKEN", "ALLOY_API_KEY", "HUBSPOT_TYPES", "ALLOY_ACTION"] {
        tour.env_remove(variable);
    }
    let output = tour.output().expect("cargo runs");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");

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
    let refusal = "Object 515690208124 can't be read.";
    assert_eq!(stderr.matches(refusal).count(), 1, "the id that failed is named once: {stderr}");
}
