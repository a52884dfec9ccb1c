//! Every example runs, and does what it promises.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The program of an example. Cargo builds it together with the tests.
pub(crate) fn example(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is not built: run the tests without --test", built.display());
    Command::new(built)
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    stdout
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "parquet")).collect()
}

#[test]
fn sql_prints_the_join_and_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let stdout = run(example("sql").arg(&out));
    // Contacts 0 to 9 have three deals each: i, i + 120 and i + 240, of 100 a piece.
    let expected = "\
+-----------------------+-------+---------+
| email                 | deals | amount  |
+-----------------------+-------+---------+
| contact-9@example.com | 3     | 38700.0 |
| contact-8@example.com | 3     | 38400.0 |
| contact-7@example.com | 3     | 38100.0 |
| contact-6@example.com | 3     | 37800.0 |
| contact-5@example.com | 3     | 37500.0 |
+-----------------------+-------+---------+
";
    assert!(stdout.starts_with(expected), "{stdout}");
    assert_eq!(stdout.lines().last().unwrap(), format!("120 rows in {}", out.display()));
    assert!(!parquet_files(&out).is_empty());
}
