//! The table of edge cases names tests and guards that are there.

use std::{collections::BTreeSet, fs, path::Path};

/// The cells of the table's lines: number, rule, tests, guards.
fn lines() -> Vec<[String; 4]> {
    let text = fs::read_to_string("tests/README.md").unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let cells = cells.map(str::to_owned).collect::<Vec<_>>().try_into();
        cells.ok().filter(|[number, ..]: &[String; 4]| number.parse::<u32>().is_ok())
    });
    rows.collect()
}

/// What stands between backticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Where the tests of a module are: a file, or a folder with a file for each part.
fn has_test(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    let file = match module {
        unit if unit.starts_with("src/") => unit.to_owned(),
        test => format!("tests/{}.rs", test.replace("::", "/")),
    };
    fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn every_case_has_a_line() {
    let numbers = lines().iter().map(|[number, ..]| number.parse().unwrap()).collect::<Vec<u32>>();
    assert!(numbers.into_iter().eq(1..=40));
}

#[test]
fn every_test_that_the_table_names_is_there() {
    for [number, _, tests, _] in lines() {
        let tests = code(&tests).collect::<BTreeSet<_>>();
        assert!(!tests.is_empty(), "case {number} has no test");
        for test in tests {
            assert!(has_test(test), "case {number}: there is no test {test}");
        }
    }
}

#[test]
fn every_guard_that_the_table_names_is_there() {
    for [number, _, _, guards] in lines() {
        let mut source = None;
        for guard in code(&guards) {
            if Path::new(guard).extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(format!("src/{guard}"));
                source = Some(text.unwrap_or_else(|_| panic!("case {number}: no file {guard}")));
                continue;
            }
            let name = guard.rsplit("::").next().unwrap_or(guard);
            let is_there = source.as_ref().is_some_and(|source| {
                source.contains(&format!("fn {name}")) || source.contains(&format!(" {name} for "))
            });
            assert!(is_there, "case {number}: there is no {guard}");
        }
        assert!(source.is_some(), "case {number} has no guard");
    }
}
