use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use workbench::{Campaign, CampaignReport, Check, Counter, Fault, Machine, Plan, simulate_many};

use crate::toy::{Bug, Toy};

/// Faults that the toy, which stores nothing, survives.
const FAULTS: [Fault; 4] = [Fault::Partition, Fault::Loss, Fault::Duplicate, Fault::Slow];

/// A node that is good in most clusters, and has a bug in those of nine nodes.
fn nodes(plan: &Plan) -> impl FnMut(Duration, usize, u64) -> Box<dyn Machine> + use<> {
    Toy::factory(if plan.node_count == 9 { Bug::CountsTwice } else { Bug::Nothing })
}

fn plan(seed: u64) -> Plan {
    Plan { time_limit: Duration::from_secs(5), ..Plan::drawn(&Counter::G, seed, &FAULTS) }
}

fn campaign(threads: usize) -> CampaignReport {
    simulate_many(0..300, NonZero::new(threads), plan, nodes, |_| {})
}

#[test]
fn the_first_failure_is_the_same_on_any_number_of_threads() {
    let first = campaign(1).failure.unwrap();
    assert_eq!(first.plan.node_count, 9);
    assert!((0..first.seed).all(|seed| plan(seed).node_count != 9));
    assert!(first.report.as_ref().unwrap().violations.counts().contains_key(&Check::FinalReads));
    assert_eq!(campaign(4).failure, Some(first));
}

#[test]
fn a_panic_is_a_failure_with_a_seed() {
    let panics = |_: &Plan| |_: Duration, _: usize, _: u64| -> Box<dyn Machine> { panic!("out of paper") };
    let failure = simulate_many(7..9, None, plan, panics, |_| {}).failure.unwrap();
    assert_eq!((failure.seed, failure.panic.as_deref()), (7, Some("out of paper")));
}

#[test]
fn without_failure_every_seed_is_run_and_told() {
    let told = AtomicU64::new(0);
    let few = |seed| Plan { node_count: 3, ..plan(seed) };
    let report = simulate_many(0..6, None, few, nodes, |_| {
        told.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!((report.runs, report.failure, told.into_inner()), (6, None, 6));
    assert!(report.operations > 100 && report.messages > report.operations);
}

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    options: workbench::SimulateOptions,
}

#[test]
fn the_command_tells_the_first_failure_and_how_to_replay_it() {
    let store = std::env::temp_dir().join(format!("workbench-simulate-{}", std::process::id()));
    let flags = format!(
        "simulate --seeds 0..300 --time-limit 5 --nemesis-from partition --no-shrink --store {}",
        store.display()
    );
    let mut options = <Cli as clap::Parser>::try_parse_from(flags.split(' ')).unwrap().options;
    options.command_line = workbench::CommandLine::new(flags.split(' ').map(str::to_owned));
    options.version = "toy 1.2".to_owned();
    let mut out = Vec::new();
    let settings = || [("colour".to_owned(), "green".to_owned())].into();
    let adapt = |plan| Plan { settings: settings(), ..plan };
    let verdict = workbench::run_simulations(&options, adapt, nodes, &mut out).unwrap();
    let printed = String::from_utf8(out).unwrap();
    assert_eq!(verdict, workbench::Verdict::Invalid);
    let seed = (0..300).find(|seed| options.plan(*seed).node_count == 9).unwrap();
    assert!(printed.contains(&format!("replay      simulate --seeds {seed} ")), "{printed}");
    assert!(
        printed.contains("settings    colour green\nprogram     toy 1.2, maelstrom-workbench "),
        "{printed}"
    );
    assert!(
        printed.contains("drawn       --concurrency ") && printed.contains(" --node-count 9 "),
        "{printed}"
    );
    assert!(printed.contains("9 nodes") && printed.contains("final-reads"), "{printed}");
    let recorded = std::fs::read_dir(store.join("simulate")).unwrap().next().unwrap().unwrap().path();
    assert!(recorded.join("history.jsonl").exists());
    assert!(printed.contains(&format!("recorded    {}", recorded.display())), "{printed}");
    let results = std::fs::read_to_string(recorded.join("results.json")).unwrap();
    assert!(results.contains("\"colour\": \"green\""), "{results}");
    std::fs::remove_dir_all(store).unwrap();
}

#[test]
fn a_campaign_that_keeps_going_counts_the_failures_by_kind() {
    let keep_going = |threads| {
        let campaign = Campaign { seeds: 0..60, threads: NonZero::new(threads), keep_going: true };
        campaign.run(plan, nodes, |_| ControlFlow::Continue(()))
    };
    let report = keep_going(1);
    let failed: Vec<u64> = (0..60).filter(|seed| plan(*seed).node_count == 9).collect();
    assert_eq!((report.runs, report.next_seed, report.failed), (60, 60, failed.len() as u64));
    let seeds = &report.findings["final-reads"];
    assert_eq!((seeds.count, seeds.lowest.first()), (report.failed, failed.first()));
    assert_eq!(keep_going(4), report);
}

#[test]
fn a_campaign_that_is_ended_says_which_seed_is_next() {
    let campaign = Campaign { seeds: 5..1_000_000, threads: NonZero::new(1), keep_going: false };
    let few = |seed| Plan { node_count: 2, ..plan(seed) };
    let report = campaign.run(few, nodes, |report| match report.runs {
        3.. => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!((report.runs, report.next_seed, report.failure), (3, 8, None));
}
