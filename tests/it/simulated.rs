//! Clusters of this node on virtual time, under all faults of the bench. Each test is one of the promises in
//! GUARANTEES.md. Each runs on several seeds, and a failure prints the seed.

use std::time::Duration;

use maelstrom_counter::config::{AckPolicy, Config, CounterKind};
use maelstrom_counter::judge::{adapted, drawn_config, factory};
use workbench::{Check, Counter, Fault, Latency, LatencyShape, Plan, Report, simulate};

const SEEDS: std::ops::Range<u64> = 0..5;

fn plan(seed: u64) -> Plan {
    Plan { nemesis_interval: Duration::from_millis(2500), ..Plan::new(&Counter::G, seed) }
}

fn run(plan: &Plan, config: &Config) -> Report {
    simulate(plan, &mut factory(config.clone()))
}

fn valid(plan: &Plan, config: &Config) -> Report {
    let report = run(plan, config);
    assert!(report.valid, "seed {}, {config:?}:\n{report}", plan.seed);
    report
}

fn with_ack(ack: AckPolicy) -> Config {
    Config { ack, ..Config::default() }
}

fn assert_all_ok(report: &Report) {
    assert_eq!(report.operations.ok, report.operations.count, "seed {}:\n{report}", report.plan.seed);
}

fn assert_converged_within(report: &Report, bound: Duration) {
    let convergence = report.convergence.expect("valid runs converge");
    assert!(convergence <= bound, "seed {}: converged after {convergence:?}\n{report}", report.plan.seed);
}

#[test]
fn partitions_cost_nothing_and_heal_within_one_and_a_half_seconds() {
    for (seed, node_count) in SEEDS.flat_map(|seed| [(seed, 3), (seed, 5)]) {
        let plan = Plan { node_count, nemesis: [Fault::Partition].into(), ..plan(seed) };
        let report = valid(&plan, &Config::default());
        assert_all_ok(&report);
        assert_converged_within(&report, Duration::from_millis(1500));
        assert!(report.messages.server_messages_per_op <= 1.6, "seed {seed}:\n{report}");
    }
}

#[test]
fn kills_lose_nothing_that_was_acknowledged() {
    for seed in SEEDS {
        let kill = Plan { node_count: 5, nemesis: [Fault::Kill].into(), ..plan(seed) };
        valid(&kill, &Config::default());
        let all = [Fault::Partition, Fault::Kill, Fault::Pause];
        valid(&Plan { node_count: 5, nemesis: all.into(), ..plan(seed) }, &Config::default());
        valid(&Plan { nemesis: all.into(), ..plan(seed) }, &with_ack(AckPolicy::Store));
    }
}

#[test]
fn without_links_between_nodes_the_store_carries_everything() {
    for seed in SEEDS {
        let report = valid(&Plan { node_count: 5, cut_peers: true, ..plan(seed) }, &Config::default());
        assert_all_ok(&report);
    }
}

#[test]
fn without_the_store_gossip_carries_everything() {
    for (seed, ack) in SEEDS.flat_map(|seed| [(seed, AckPolicy::Durable), (seed, AckPolicy::Memory)]) {
        assert_all_ok(&valid(&Plan { cut_store: true, ..plan(seed) }, &with_ack(ack)));
        let partitioned = Plan { cut_store: true, nemesis: [Fault::Partition].into(), ..plan(seed) };
        valid(&partitioned, &with_ack(ack));
    }
}

#[test]
fn acknowledging_by_the_store_alone_fails_in_time_without_it_and_reads_go_on() {
    for seed in SEEDS {
        let plan = Plan { cut_store: true, ..plan(seed) };
        let report = run(&plan, &with_ack(AckPolicy::Store));
        let broken: Vec<_> = report.violations.counts().keys().copied().collect();
        assert_eq!(broken, [Check::Stats], "not one add succeeded, and nothing else is wrong:\n{report}");
        assert_eq!(report.operations.timeouts, 0, "every add is answered:\n{report}");
        assert!(report.operations.refused > 0, "some are certain not to be counted:\n{report}");
        assert!(report.latencies.contains_key("read"), "{report}");
    }
}

#[test]
fn a_start_apart_mutes_nobody() {
    for seed in SEEDS {
        let plan = Plan { node_count: 5, stagger: Duration::from_secs(1), ..plan(seed) };
        assert_all_ok(&valid(&plan, &Config::default()));
    }
}

#[test]
fn a_bad_network_and_a_forgetful_store_lose_nothing() {
    for seed in SEEDS {
        let plan = Plan {
            node_count: 5,
            loss: 0.3,
            duplicate: 0.3,
            store_loss: 0.2,
            latency: Latency { mean_ms: 50, shape: LatencyShape::Exponential },
            ..plan(seed)
        };
        valid(&plan, &Config::default());
        // With `durable`, a store whose messages are all lost counts as down. Then several deaths may lose an add.
        let faulty = Plan { nemesis: [Fault::Partition, Fault::Kill, Fault::Pause].into(), ..plan };
        valid(&faulty, &with_ack(AckPolicy::Store));
    }
}

#[test]
fn twenty_five_slow_nodes_converge_within_three_seconds_of_the_heal() {
    for seed in 0..2 {
        let plan = Plan {
            node_count: 25,
            latency: Latency { mean_ms: 100, shape: LatencyShape::Constant },
            nemesis: [Fault::Partition].into(),
            ..plan(seed)
        };
        assert_converged_within(&valid(&plan, &Config::default()), Duration::from_secs(3));
    }
}

#[test]
fn once_converged_and_without_writes_the_cluster_is_silent() {
    for seed in SEEDS {
        let plan = Plan {
            node_count: 5,
            nemesis: [Fault::Partition, Fault::Kill, Fault::Pause].into(),
            silence: Some(Duration::from_secs(10)),
            ..plan(seed)
        };
        valid(&plan, &Config::default());
    }
}

#[test]
fn malformed_lines_are_answered_as_they_should_and_count_nothing() {
    for seed in 0..2 {
        valid(&Plan { malformed: 1000, ..plan(seed) }, &Config::default());
    }
}

#[test]
fn a_counter_that_goes_up_and_down_is_as_safe() {
    let config = Config { counter: CounterKind::Pn, ..Config::default() };
    for seed in SEEDS {
        let nemesis = [Fault::Partition, Fault::Kill, Fault::Pause].into();
        valid(&Plan { workload: &Counter::Pn, nemesis, ..plan(seed) }, &config);
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let plan = Plan { nemesis: [Fault::Partition, Fault::Kill, Fault::Pause].into(), ..plan(7) };
    let histories = [(); 2].map(|()| format!("{:?}", run(&plan, &Config::default()).history));
    assert_eq!(histories[0], histories[1]);
}

/// A node acknowledges adds without the store, as `durable` allows, and dies. The store comes back for some seconds, and
/// then the node's peers die too. Seed 6851 of `maelstrom-counter simulate` found that the counts which the peers kept for
/// the dead node were in no record.
#[test]
fn hints_for_a_dead_node_survive_their_keepers_once_the_store_was_back() {
    let plan = adapted(Plan::drawn(&Counter::G, 6851, Plan::all_faults()));
    valid(&plan, &drawn_config(&plan));
}

/// Random clusters under random faults. `maelstrom-counter simulate` runs the same by the thousand.
#[test]
fn random_mixes_of_everything() {
    for workload in [&Counter::G, &Counter::Pn] {
        for seed in 0..60 {
            let plan = adapted(Plan::drawn(workload, seed, Plan::all_faults()));
            let report = run(&plan, &drawn_config(&plan));
            assert!(report.valid, "seed {seed}:\n{report}");
        }
    }
}
