//! The example's own binary, as processes.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use tokio::process::{Child, Command as Spawn};

/// Milliseconds between the heartbeats of a worker. Its jobs are run again after five of them.
const HEARTBEAT: &str = "100";

/// What each process finds in its environment.
pub(crate) struct Processes {
    pub(crate) database_url: String,
    pub(crate) base_url: String,
}

impl Processes {
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagestream-queue"));
        command.env("DATABASE_URL", &self.database_url);
        command.env("HUBSPOT_BASE_URL", &self.base_url);
        command.env("HUBSPOT_TOKEN", "a-test-token");
        command
    }

    /// Runs `enqueue` with these ids. Gives what it prints.
    pub(crate) fn enqueue(&self, parts: usize, ids: impl Iterator<Item = u64>) -> String {
        let mut enqueue = self.command();
        enqueue.args(["enqueue", &parts.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut enqueue = enqueue.spawn().expect("it starts");
        let mut stdin = enqueue.stdin.take().expect("it is piped");
        ids.for_each(|id| writeln!(stdin, "{id}").expect("it reads"));
        drop(stdin);
        let output = enqueue.wait_with_output().expect("it ends");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// Runs `status`. Gives what it prints.
    pub(crate) fn status(&self) -> String {
        let output = self.command().arg("status").output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// Starts a worker, which is killed when it is dropped.
    pub(crate) fn worker(&self) -> Child {
        let mut worker = self.command();
        worker.args(["work", HEARTBEAT]);
        Spawn::from(worker).kill_on_drop(true).spawn().expect("it starts")
    }

    /// Starts a worker whose errors are read here.
    pub(crate) fn worker_with_errors(&self) -> Child {
        let mut worker = self.command();
        worker.args(["work", HEARTBEAT]).stderr(Stdio::piped());
        Spawn::from(worker).kill_on_drop(true).spawn().expect("it starts")
    }
}
