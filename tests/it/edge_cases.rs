//! The table of edge cases names tests and files that are there.

use std::{collections::BTreeSet, fs, path::Path};

/// The cells of the table's rows: number, rule, tests, files.
fn rows() -> Vec<[String; 4]> {
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

/// Whether a test is in the file of its module.
fn has_test(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    let files = if module.starts_with("src/") {
        vec![module.to_owned()]
    } else {
        let module = module.replace("::", "/");
        ["tests/it/{}.rs", "tests/it/{}/mod.rs", "tests/{}.rs"]
            .map(|file| file.replace("{}", &module))
            .to_vec()
    };
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    let test = format!("fn {name}(");
    texts.into_iter().any(|text| text.contains(&test))
}

#[test]
fn every_case_has_a_row() {
    let numbers = rows().iter().map(|[number, ..]| number.parse().unwrap()).collect::<Vec<u32>>();
    assert!(numbers[..40].iter().copied().eq(1..=40));
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn every_test_that_the_table_names_is_there() {
    for [number, _, tests, _] in rows() {
        let tests = code(&tests).collect::<BTreeSet<_>>();
        assert!(!tests.is_empty(), "case {number} has no test");
        for test in tests {
            assert!(has_test(test), "case {number}: there is no test {test}");
        }
    }
}

#[test]
fn every_file_that_the_table_names_is_there() {
    for [number, _, _, files] in rows() {
        let files = code(&files).collect::<BTreeSet<_>>();
        assert!(!files.is_empty(), "case {number} names no file");
        for file in files {
            assert!(Path::new("src").join(file).is_file(), "case {number}: no file {file}");
        }
    }
}
