//! A cluster of processes, one of which is killed.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use crate::examples::example;

#[path = "../../../examples/shared/crm.rs"]
mod crm;
#[path = "../../../examples/shared/processes.rs"]
mod started;

use crm::{CONTACTS, Crm};
use started::Processes;

const DEALS: u64 = 800;

fn client_of(processes: &Processes, crm: &Crm) -> Command {
    let [hubspot, alloy] = crm.urls();
    processes.client(&[&hubspot, &alloy, &DEALS.to_string()])
}

/// What the query of the example gives.
fn expected() -> Vec<[u64; 3]> {
    let team = |team: u64| {
        let deals = (0..DEALS).filter(|deal| deal % CONTACTS as u64 % 5 == team);
        [team, deals.clone().count() as u64, deals.map(|deal| deal * 100).sum()]
    };
    (0..5).map(team).collect()
}

fn numbers(table: &str) -> Vec<[u64; 3]> {
    let row = |line: &str| {
        let cells = line.split('|').filter_map(|cell| cell.trim().parse::<f64>().ok());
        // They are whole numbers, and small.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as said")]
        let cells = cells.map(|cell| cell as u64).collect::<Vec<_>>();
        cells.try_into().ok()
    };
    table.lines().filter_map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executor_that_is_killed_has_its_parts_read_again_and_the_result_is_exact() {
    let crm = Crm::start(DEALS, Duration::from_millis(40)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = example("cluster").get_program().to_owned();
    let mut processes = Processes::start(program.as_ref(), folder.path(), 2).unwrap();
    processes.wait_until_ready().await.unwrap();

    // Ten deals and ten contacts to a request.
    let all = usize::try_from(DEALS).unwrap().div_ceil(10) + CONTACTS.div_ceil(10);
    let mut client = client_of(&processes, &crm);
    let client = client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while crm.requests() < all / 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    processes.kill_an_executor();
    let output = tokio::task::spawn_blocking(|| client.wait_with_output());
    // Ballista's adaptive planner waits for ever, now and then.
    let output = tokio::time::timeout(Duration::from_mins(2), output).await;
    let output = output.expect("the query ends").unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(numbers(&stdout), expected(), "{stdout}");
    let requests = crm.requests();
    assert!(requests > all, "{requests}: no part was read again");
    assert!(requests < 2 * all + all / 2, "{requests}: more was read again than was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_processes_reads_each_page_once() {
    let crm = Crm::start(DEALS, Duration::ZERO).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = example("cluster").get_program().to_owned();
    let mut processes = Processes::start(program.as_ref(), folder.path(), 2).unwrap();
    processes.wait_until_ready().await.unwrap();
    let mut client = client_of(&processes, &crm);
    let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
    assert_eq!(numbers(&String::from_utf8(output.stdout).unwrap()), expected());
    assert_eq!(crm.requests(), 800 / 10 + CONTACTS / 10);
}
