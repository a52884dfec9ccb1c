//! Every example runs, and does what it promises.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use datafusion::prelude::{ParquetReadOptions, SessionContext};

use crate::support::ids;

/// The program of an example. Cargo builds it together with the tests.
pub(crate) fn example(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is not built: `cargo build --examples`", built.display());
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

/// Starts the export, and waits until its first part is done.
fn started_export(folder: &Path) -> (Child, BufReader<impl Read>) {
    let mut export = example("export").arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(export.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("is done") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended before a part was done");
    }
    (export, stdout)
}

fn pages(stdout: &str) -> u64 {
    let line = stdout.lines().find(|line| line.ends_with("pages were asked for")).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_export_that_is_stopped_or_killed_goes_on_and_each_record_is_there_once() {
    let folder = tempfile::tempdir().unwrap();

    // Stopped with Ctrl-C: it keeps what is done.
    let (mut export, mut stdout) = started_export(folder.path());
    let signal = Command::new("kill").args(["-INT", &export.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert!(export.wait().unwrap().success());
    assert!(rest.contains("stopped: start it again"), "{rest}");
    let first = pages(&rest);
    assert!((25..175).contains(&first), "{first}");
    let kept = parquet_files(folder.path()).len();
    assert!(kept >= 2, "the part that is done, and those that were cut");

    // Killed.
    let (mut export, _) = started_export(folder.path());
    export.kill().unwrap();
    export.wait().unwrap();
    assert!(parquet_files(folder.path()).len() > kept);

    // To the end.
    let stdout = run(example("export").arg(folder.path()));
    assert!(stdout.starts_with("it goes on"), "{stdout}");
    assert!(pages(&stdout) <= 200 - first, "{stdout}");
    assert!(stdout.contains("2000 contacts in "), "{stdout}");

    // And again: nothing is left.
    assert_eq!(pages(&run(example("export").arg(folder.path()))), 0);
    let context = SessionContext::new();
    let path = folder.path().display().to_string();
    let rows = context.read_parquet(path, ParquetReadOptions::default()).await.unwrap();
    let mut ids = ids(&rows.collect().await.unwrap());
    ids.sort_unstable();
    assert_eq!(ids, (0..2_000).collect::<Vec<_>>());
}
