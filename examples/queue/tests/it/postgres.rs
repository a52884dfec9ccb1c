//! A PostgreSQL for one test.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sqlx::PgPool;

const NEEDED: &str = "this test needs PostgreSQL: `apt-get install postgresql` on Debian";

/// A server that stops, and whose folder goes, when it is dropped or the test dies.
pub(crate) struct Postgres {
    script: Child,
    url: String,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let mut script = shell();
        script.args(["-c", include_str!("postgres.sh"), "sh"]).arg(programs());
        // Another user may not be able to read the folder of the project.
        script.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = script.spawn().expect("a shell starts");
        let mut folder = String::new();
        let stdout = script.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut folder).expect("it prints text");
        assert!(!folder.is_empty(), "PostgreSQL did not start: its messages are above");
        let url = format!("postgres:///postgres?host={}&user=pagestream", folder.trim_end());
        Self { script, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn connect(&self) -> PgPool {
        PgPool::connect(&self.url).await.expect("the server answers")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take()); // the script stops the server then
        let _ = self.script.wait();
    }
}

/// The folder of `initdb`: of PATH, or the newest of Debian, which has it in no PATH.
fn programs() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect::<Vec<_>>();
    debian.sort_by_key(|bin| version(bin));
    let mut folders = env::split_paths(&path).chain(debian.into_iter().rev());
    folders.find(|folder| folder.join("initdb").is_file()).expect(NEEDED)
}

/// The number in `/usr/lib/postgresql/17/bin`.
fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// A shell that is not root's: PostgreSQL refuses to run as root.
fn shell() -> Command {
    let id = Command::new("id").arg("-u").output().expect("`id` runs");
    if id.stdout != b"0\n" {
        return Command::new("sh");
    }
    let has = |user: &str| {
        Command::new("id").args(["-u", user]).output().is_ok_and(|id| id.status.success())
    };
    let user = ["postgres", "nobody"].into_iter().find(|user| has(user)).expect(NEEDED);
    let mut shell = Command::new("runuser");
    shell.args(["-u", user, "--", "sh"]).env_remove("TMPDIR");
    shell
}
