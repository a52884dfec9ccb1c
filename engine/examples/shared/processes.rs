//! A scheduler and executors, as processes on free ports of the loopback interface.

#![allow(dead_code, reason = "an example uses some of it, and a test the rest")]

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

/// How long the processes may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// The processes. They end when this is dropped, and when the process that holds it is gone.
pub(crate) struct Processes {
    program: PathBuf,
    port: u16,
    scheduler: Process,
    executors: Vec<Process>,
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Processes {
    /// Starts a scheduler and so many executors. What these compute goes into this folder.
    pub(crate) fn start(program: &Path, folder: &Path, executors: usize) -> io::Result<Self> {
        let ports = free_ports(1 + 2 * executors)?;
        let port = ports[0];
        let mut scheduler = Command::new(program);
        scheduler.arg("scheduler").arg(port.to_string()).arg(executors.to_string());
        scheduler.env_remove("HUBSPOT_TOKEN").env_remove("ALLOY_API_KEY");
        let scheduler = process(&mut scheduler)?;
        let executor = |ports: &[u16]| {
            let mut executor = Command::new(program);
            executor.arg("executor").arg(port.to_string());
            executor.args(ports.iter().map(ToString::to_string));
            executor.arg(folder.join(ports[0].to_string()));
            process(with_credentials(&mut executor))
        };
        let executors = ports[1..].chunks(2).map(executor).collect::<io::Result<_>>()?;
        Ok(Self { program: program.to_owned(), port, scheduler, executors })
    }

    /// Waits until the scheduler knows the executors.
    pub(crate) async fn wait_until_ready(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        while !is_ready(self.port).await {
            for process in std::iter::once(&mut self.scheduler).chain(&mut self.executors) {
                if let Some(status) = process.0.try_wait()? {
                    return Err(io::Error::other(format!("a process ended: {status}")));
                }
            }
            if begin.elapsed() > PATIENCE {
                return Err(io::Error::other("the cluster does not start"));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// A client with these arguments.
    pub(crate) fn client(&self, arguments: &[&str]) -> Command {
        let mut client = Command::new(&self.program);
        client.arg("client").arg(self.port.to_string()).args(arguments);
        with_credentials(&mut client);
        client
    }

    /// The ids of the scheduler's process and of the executors'.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let all = std::iter::once(&self.scheduler).chain(&self.executors);
        all.map(|process| process.0.id()).collect()
    }

    /// Kills an executor, so that it says goodbye to nobody.
    pub(crate) fn kill_an_executor(&mut self) {
        self.executors.pop();
    }
}

/// Ports that nobody listens on. They are below those that the system gives to connections, so
/// that none takes one before the process that it is for.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    // All are held until each is chosen, so that no two are the same.
    let mut listeners = Vec::new();
    for _ in 0..1_000 {
        if listeners.len() == count {
            break;
        }
        let random = RandomState::new().build_hasher().finish();
        let port = 10_000 + u16::try_from(random % 20_000).unwrap_or_default();
        listeners.extend(TcpListener::bind(("127.0.0.1", port)));
    }
    if listeners.len() < count {
        return Err(io::Error::other("no port is free"));
    }
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn process(command: &mut Command) -> io::Result<Process> {
    Ok(Process(command.stdin(Stdio::piped()).spawn()?))
}

fn with_credentials(command: &mut Command) -> &mut Command {
    command.env("HUBSPOT_TOKEN", "a-test-token").env("ALLOY_API_KEY", "a-test-key")
}

/// Whether the scheduler has as many executors as it waits for.
async fn is_ready(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    ask.await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
