use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use workbench::{
    CampaignReport, Check, Counter, Fault, Machine, Plan, SimulatedMoment, simulate, simulate_many,
    simulate_while, simulated_moment,
};

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
    let flags =
        format!("simulate --seeds 0..300 --time-limit 5 --nemesis partition --store {}", store.display());
    let options = <Cli as clap::Parser>::try_parse_from(flags.split(' ')).unwrap().options;
    let mut out = Vec::new();
    let verdict = workbench::run_simulations(&options, |plan| plan, nodes, &mut out).unwrap();
    let printed = String::from_utf8(out).unwrap();
    assert_eq!(verdict, workbench::Verdict::Invalid);
    let seed = (0..300).find(|seed| options.plan(*seed).node_count == 9).unwrap();
    let replay = printed.lines().find_map(|line| line.strip_prefix("replay      ")).unwrap();
    assert!(replay.starts_with(&*std::env::args().next().unwrap()), "{replay}");
    assert!(replay.contains(&format!(" --seeds {seed} ")) && replay.contains(" --time-limit 5 "), "{replay}");
    assert!(printed.contains("drawn       9 nodes, ") && printed.contains("final-reads"), "{printed}");
    let recorded = store.join("latest").canonicalize().unwrap();
    assert!(printed.contains(&format!("recorded    {}\n", recorded.display())), "{printed}");
    assert!(recorded.join("history.jsonl").exists());
    let noted = std::fs::read_to_string(recorded.join("replay.txt")).unwrap();
    assert!(noted.contains(replay) && noted.contains("maelstrom-workbench "), "{noted}");
    std::fs::remove_dir_all(store).unwrap();
}

#[test]
fn all_failures_are_counted_if_the_campaign_goes_on() {
    let report = simulate_while(0..60, NonZero::new(2), plan, nodes, |_| true);
    let large: Vec<u64> = (0..60).filter(|seed| plan(*seed).node_count == 9).collect();
    assert_eq!((report.runs, report.next_seed), (60, 60));
    assert!(report.failed > 2 && report.failed == report.failed_seeds.len() as u64, "{}", report.failed);
    assert!(report.failed_seeds.iter().all(|seed| large.contains(seed)), "{:?}", report.failed_seeds);
    assert!((1..=report.failed).contains(&report.broken[&Check::FinalReads]), "{:?}", report.broken);
    assert_eq!(report.failed_seeds.first(), report.failure.as_ref().map(|failure| &failure.seed));
}

#[test]
fn a_campaign_that_ends_early_says_which_seed_is_next() {
    let report = simulate_while(10..60, NonZero::new(3), plan, nodes, |report| report.runs < 7);
    assert!((7..10).contains(&report.runs), "{}", report.runs);
    assert_eq!(report.next_seed, 10 + report.runs);
}

/// Tells where it runs by what it prints: `n1` is at place 1, and so on.
struct Placed;

impl Machine for Placed {
    fn receive(&mut self, now: Duration, line: &[u8], _: &mut Vec<u8>) {
        let SimulatedMoment { at, node } = simulated_moment().unwrap();
        let line = String::from_utf8(line.to_vec()).unwrap();
        assert!(at == now && line.contains(&format!("\"dest\":\"n{node}\"")), "{at:?} {line}");
    }

    fn wake(&mut self, _: Duration, _: &mut Vec<u8>) {}

    fn next_wake(&self) -> Option<Duration> {
        None
    }

    fn terminate(&mut self, _: Duration, _: &mut Vec<u8>) {}

    fn has_exited(&self) -> bool {
        false
    }
}

#[test]
fn a_machine_can_ask_which_node_it_is_and_what_time_it_is() {
    let mut start = |now: Duration, node: usize, _: u64| {
        assert_eq!(simulated_moment(), Some(SimulatedMoment { at: now, node }));
        Box::new(Placed) as Box<dyn Machine>
    };
    assert!(!simulate(&Plan::new(&Counter::G, 1), &mut start).valid, "it never answers");
    assert_eq!(simulated_moment(), None);
}
