//! One query over a slow service, in all ways that there are: `benches/run`.
//!
//! Without a role it starts each way as a process of its own, and writes the table into the
//! README. The service is a process too, so that its memory is not counted.

#[path = "measure/numbers.rs"]
mod numbers;
#[path = "../examples/shared/processes.rs"]
mod processes;
#[path = "measure/report.rs"]
mod report;
#[path = "../examples/shared/roles.rs"]
mod roles;
#[path = "measure/ways.rs"]
mod ways;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use pagestream_datafusion::{Connectors, Environment};

use numbers::{Numbers, PAGES};
use processes::Processes;
use report::{Measured, Row};

fn connectors() -> Connectors {
    Connectors::new(Environment::new()).with::<Numbers>()
}

/// The service, as a process that ends with this one.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start(program: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.arg("service").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().context("it has an output")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process printed that has measured.
fn measured(mut command: Command) -> anyhow::Result<Measured> {
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(text.lines().last().unwrap_or_default())?)
}

/// A way that is one process.
fn alone(program: &Path, name: &str, at_once: usize, way: &[&str]) -> anyhow::Result<Row> {
    let service = Service::start(program)?;
    let mut command = Command::new(program);
    command.arg(way[0]).arg(&service.url).args(&way[1..]);
    let measured = measured(command)?;
    let memory = vec![measured.peak_mib];
    Ok(Row { name: name.to_owned(), at_once, measured, memory })
}

/// A cluster of processes, one of whose executors is killed at half time if that is wanted.
async fn cluster(
    program: &Path,
    name: &str,
    executors: usize,
    is_killed: bool,
) -> anyhow::Result<Row> {
    let service = Service::start(program)?;
    let folder = tempfile::tempdir()?;
    let mut processes = Processes::start(program, folder.path(), executors)?;
    processes.wait_until_ready().await?;
    let first_row = if is_killed { "no" } else { "yes" };
    let client = processes.client(&[&service.url, first_row]);
    let client = tokio::task::spawn_blocking(move || measured(client));
    if is_killed {
        while numbers::requests(&service.url).await? < PAGES / 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        processes.kill_an_executor();
    }
    let measured = client.await??;
    let mut memory = vec![measured.peak_mib];
    for id in processes.ids() {
        memory.push(report::peak_mib(&id.to_string())?);
    }
    Ok(Row { name: name.to_owned(), at_once: 4 * executors, measured, memory })
}

async fn all() -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let rows = vec![
        alone(&program, "a loop by hand", 1, &["hand"])?,
        alone(&program, "pagestream, window 8", 8, &["stream"])?,
        alone(&program, "DataFusion, 1 part", 1, &["datafusion", "1"])?,
        alone(&program, "DataFusion, 8 parts", 8, &["datafusion", "8"])?,
        alone(&program, "DataFusion, 32 parts", 32, &["datafusion", "32"])?,
        alone(&program, "Ballista in one process", 8, &["standalone"])?,
        cluster(&program, "Ballista, 1 executor", 1, false).await?,
        cluster(&program, "Ballista, 2 executors", 2, false).await?,
        cluster(&program, "the same, one killed at half time", 2, true).await?,
    ];
    report::write(&rows)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = std::env::args().skip(1).filter(|it| it != "--bench").collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    let measured = match arguments[..] {
        [] => return all().await,
        ["service"] => return numbers::serve().await,
        ["scheduler", port, executors] => {
            return roles::scheduler(&connectors(), port.parse()?, executors.parse()?).await;
        }
        ["executor", scheduler, first, second, folder] => {
            let ports = [first.parse()?, second.parse()?];
            return roles::executor(&connectors(), scheduler.parse()?, ports, folder).await;
        }
        ["hand", url] => ways::by_hand(url).await?,
        ["stream", url] => ways::stream(url).await?,
        ["datafusion", url, parts] => ways::datafusion(url, parts.parse()?).await?,
        ["standalone", url] => ways::standalone(&connectors(), url).await?,
        ["client", scheduler, url, first_row] => {
            let context = roles::session(&connectors(), scheduler.parse()?).await?;
            ways::query(&context, url, 8, first_row == "yes").await?
        }
        _ => bail!("unknown arguments {arguments:?}"),
    };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}
