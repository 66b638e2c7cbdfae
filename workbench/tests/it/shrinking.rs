//! A failure is made smaller. The toy keeps its counts in memory, so a kill makes it forget adds.

use std::path::PathBuf;

use clap::Parser;
use workbench::{CampaignFailure, Check, Counter, Fault, Plan, Shrunk, Verdict, shrink, simulate_many};

use crate::toy::{Bug, Toy};

const FAULTS: [Fault; 5] = [Fault::Partition, Fault::Kill, Fault::Loss, Fault::Duplicate, Fault::Slow];

fn plan(seed: u64) -> Plan {
    Plan::drawn(&Counter::G, seed, &FAULTS)
}

/// A failure of a cluster of several nodes, with several faults.
fn failure() -> CampaignFailure {
    let is_large = |seed: &u64| plan(*seed).node_count >= 5 && plan(*seed).nemesis.contains(&Fault::Kill);
    let seed = (0..100).find(is_large).unwrap();
    simulate_many(seed..seed + 1, None, plan, |_| Toy::factory(Bug::Nothing), |_| {}).failure.unwrap()
}

fn shrunk(failure: &CampaignFailure) -> Shrunk {
    shrink(failure, |plan| plan, |_| Toy::factory(Bug::Nothing), || true)
}

fn first_check(failure: &CampaignFailure) -> Check {
    failure.report.as_ref().unwrap().violations.examples()[0].check
}

#[test]
fn a_cluster_with_many_faults_becomes_a_node_that_is_killed_once() {
    let failure = failure();
    let Shrunk { failure: small, runs } = shrunk(&failure);
    let report = small.report.as_ref().unwrap();
    assert!(report.violations.counts().contains_key(&first_check(&failure)), "{report}");
    assert!(runs <= 200 && failure.report.as_ref().unwrap().faults.len() > 3, "{runs} runs");
    let kinds: Vec<Fault> = report.faults.iter().map(|fault| fault.fault).collect();
    assert_eq!((small.plan.node_count, kinds), (1, vec![Fault::Kill]), "{report}");
    let Plan { time_limit, loss, duplicate, store_loss, latency, .. } = *small.plan;
    assert!(time_limit < failure.plan.time_limit / 2 && small.plan.rate < failure.plan.rate, "{report}");
    assert_eq!((loss + duplicate + store_loss, latency.mean_ms), (0.0, 0));
}

#[test]
fn a_failure_is_made_smaller_in_the_same_way_each_time() {
    let failure = failure();
    assert_eq!(shrunk(&failure), shrunk(&failure));
}

#[test]
fn a_failure_stays_as_it_is_if_there_is_no_time_left() {
    let failure = failure();
    let Shrunk { failure: same, runs } =
        shrink(&failure, |plan| plan, |_| Toy::factory(Bug::Nothing), || false);
    assert_eq!((same, runs), (failure, 0));
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: workbench::SimulateOptions,
}

/// The verdict, and what was printed.
fn simulate(flags: &str, store: &std::path::Path) -> (Verdict, String) {
    let store = ["--store".to_owned(), store.display().to_string()];
    let words = ["simulate"].into_iter().chain(flags.split_whitespace()).map(str::to_owned).chain(store);
    let options = Cli::try_parse_from(words).unwrap().options;
    let mut out = Vec::new();
    let nodes = |_: &Plan| Toy::factory(Bug::Nothing);
    let verdict = workbench::run_simulations(&options, |plan| plan, nodes, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

/// The lines that tell what is wrong.
fn findings(printed: &str) -> Vec<String> {
    let findings = printed.lines().skip_while(|line| !line.starts_with("broken"));
    let is_finding = |line: &&str| line.starts_with("broken") || line.starts_with(' ');
    findings.take_while(is_finding).map(str::to_owned).collect()
}

#[test]
fn the_command_prints_both_failures_and_each_line_replays_its_own() {
    let store: PathBuf = std::env::temp_dir().join(format!("workbench-shrink-{}", std::process::id()));
    let (verdict, printed) = simulate("--seeds 0..100 --nemesis partition,kill,slow", &store);
    let (large, small) = printed.split_once("\nshrunk ").unwrap();
    assert!(verdict == Verdict::Invalid && small.contains("to 1 node, "), "{printed}");
    for told in [large, small] {
        let replay = told.lines().find_map(|line| line.strip_prefix("replay ")).unwrap();
        let (_, flags) = replay.split_once(" --seeds ").unwrap();
        let (verdict, replayed) = simulate(&format!("--seeds {flags}"), &store);
        assert_eq!((verdict, findings(&replayed)), (Verdict::Invalid, findings(told)), "{replay}");
        let recorded = told.lines().find_map(|line| line.strip_prefix("recorded    ")).unwrap();
        let noted = std::fs::read_to_string(PathBuf::from(recorded).join("replay.txt")).unwrap();
        assert!(noted.contains(replay.trim()), "{noted}");
    }
    std::fs::remove_dir_all(store).unwrap();
}
