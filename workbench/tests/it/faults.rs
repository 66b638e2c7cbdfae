use std::time::Duration;

use workbench::{Check, Counter, Fault, Latency, LatencyShape, LoadModel, Plan, simulate};

use crate::toy::{Bug, Toy};

#[test]
fn partitions_delay_but_lose_nothing() {
    for seed in 0..10 {
        let plan = Plan { nemesis: [Fault::Partition].into(), ..Plan::new(&Counter::G, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        assert!(report.valid, "{report}");
        assert!(report.faults.len() >= 2);
        assert!(report.faults.iter().all(|fault| fault.until.is_some()));
    }
}

#[test]
fn a_fault_that_would_hit_nobody_is_left_out() {
    let processes = [Fault::Kill, Fault::Pause, Fault::Restart];
    for seed in 0..40 {
        let plan = Plan {
            nemesis: processes.into(),
            node_count: 2,
            nemesis_interval: Duration::from_secs(1),
            ..Plan::new(&Counter::G, seed)
        };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        assert!(report.faults.iter().all(|fault| !fault.detail.contains("nobody")), "{report}");
        assert!(report.faults.iter().all(|fault| fault.until.is_some()), "{report}");
        assert!(
            report.history.acts().iter().all(|act| act.detail != "nobody"),
            "{:?}",
            report.history.acts()
        );
    }
}

#[test]
fn names_may_begin_with_another_number() {
    for seed in 0..5 {
        let plan = Plan {
            first_node: 3,
            nemesis: Fault::ALL.into(),
            nemesis_interval: Duration::from_secs(2),
            demand_success: false,
            ..Plan::new(&Counter::G, seed)
        };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        let mut history = Vec::new();
        report.history.write_jsonl(&mut history).unwrap();
        let history = String::from_utf8(history).unwrap();
        for name in ["n3", "n4", "n5"] {
            assert!(history.contains(name), "{name}");
        }
        for name in ["n0", "n1", "n2", "n6"] {
            assert!(!history.contains(&format!("\"{name}\"")), "{name}");
        }
        let from_zero = simulate(&Plan { first_node: 0, ..plan }, &mut Toy::factory(Bug::Nothing));
        assert_eq!((report.valid, report.operations), (from_zero.valid, from_zero.operations), "seed {seed}");
    }
}

/// Clients of a closed load wait for nodes that are dead; those of an open load are joined by others.
#[test]
fn an_open_load_goes_on_while_nodes_are_dead() {
    let mut short = 0;
    for seed in 0..5 {
        let run = |load| {
            let plan =
                Plan { nemesis: [Fault::Kill, Fault::Pause].into(), load, ..Plan::new(&Counter::G, seed) };
            simulate(&plan, &mut Toy::factory(Bug::Nothing))
        };
        let report = run(LoadModel::Open);
        assert!(!report.rate.is_short && report.rate.joined > 0, "{report}");
        assert!(report.rate.to_string().contains("more clients while nodes did not answer"), "{report}");
        assert_eq!(report.final_reads.len(), 3, "those who joined don't read in the end");
        let (strictly, possible) = (report.strictly_possible.bounds(), report.possible.bounds());
        assert!(strictly.1 < possible.1, "what came to dead nodes did not happen: {report}");
        short += u32::from(run(LoadModel::Closed).rate.is_short);
    }
    assert!(short >= 3, "{short} of 5 closed loads fell short");
}

#[test]
fn a_cut_that_lasts_keeps_the_nodes_apart() {
    let max_convergence = Some(Duration::from_secs(2));
    let plan = Plan { cut_peers: true, max_convergence, ..Plan::new(&Counter::G, 1) };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    assert!(report.violations.counts().contains_key(&Check::Agreement), "{report}");
    assert_eq!(report.convergence, None);
    assert!(report.violations.counts().contains_key(&Check::Convergence), "{report}");
}

#[test]
fn killing_a_node_without_a_store_loses_what_it_knew() {
    let caught = (0..10).any(|seed| {
        let plan = Plan { nemesis: [Fault::Kill].into(), ..Plan::new(&Counter::G, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        report.violations.counts().contains_key(&Check::FinalReads)
    });
    assert!(caught);
}

#[test]
fn a_paused_node_answers_late_or_not_at_all() {
    let plan = Plan {
        nemesis: [Fault::Pause].into(),
        nemesis_interval: Duration::from_secs(8),
        time_limit: Duration::from_mins(1),
        ..Plan::new(&Counter::G, 3)
    };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    assert!(report.operations.timeouts > 0, "{report}");
    // After the pause the toy answers all lines on its input, though the clients have left.
    let broken = report.violations.counts();
    assert!(broken.contains_key(&Check::Destination) || broken.contains_key(&Check::Replies), "{report}");
}

#[test]
fn malformed_lines_change_nothing_and_are_answered() {
    let plan = Plan { malformed: 1200, ..Plan::new(&Counter::G, 5) };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    // The toy's parser refuses 1e400 and invalid text like any line that is no JSON.
    let unanswered = report.violations.counts().get(&Check::Malformed).copied().unwrap_or(0);
    let examples = report.violations.examples().iter().map(|violation| violation.text.as_str());
    assert!(unanswered <= 60 && examples.clone().all(|text| text.contains("1e400")), "{report}");
    assert_eq!(report.violations.counts().len(), 1, "{report}");
    for bug in [Bug::MixesUpCodes, Bug::IgnoresGarbage] {
        let report = simulate(&plan, &mut Toy::factory(bug));
        assert!(report.violations.counts()[&Check::Malformed] > 200, "{report}");
    }
}

#[test]
fn a_node_that_sends_before_its_peers_exist_is_muted() {
    let muted = (0..5).any(|seed| {
        let plan = Plan { stagger: Duration::from_secs(1), ..Plan::new(&Counter::G, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        report.violations.counts().contains_key(&Check::Destination)
    });
    assert!(muted);
}

#[test]
fn a_lossy_network_delays_but_loses_nothing() {
    let plan = Plan {
        loss: 0.3,
        duplicate: 0.3,
        latency: Latency { mean_ms: 50, shape: LatencyShape::Exponential },
        ..Plan::new(&Counter::Pn, 1)
    };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    let lost = report.messages.journal.servers;
    assert!(lost.received * 10 < lost.sent * 10 && lost.received * 10 > lost.sent * 8, "{lost:?}");
    // Decrements are no business of a toy whose counts only grow, so this is for the bench's sake alone.
    assert!(report.operations.refused > 0, "{report}");
}

#[test]
fn faults_of_messages_and_services_lose_nothing() {
    let faults = [Fault::Partition, Fault::Loss, Fault::Duplicate, Fault::Slow, Fault::Store];
    for seed in 0..10 {
        let plan = Plan { nemesis: faults.into(), ..Plan::new(&Counter::G, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        assert!(report.valid, "{report}");
        for window in &report.faults {
            assert!(window.until.is_some() && !window.detail.is_empty(), "{report}");
        }
    }
}

#[test]
fn a_clean_restart_is_no_crash() {
    for seed in 0..5 {
        let plan = Plan { nemesis: [Fault::Restart, Fault::Pause].into(), ..Plan::new(&Counter::G, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        assert!(!report.violations.counts().contains_key(&Check::Exit), "{report}");
        assert!(!report.violations.counts().contains_key(&Check::Init), "{report}");
        assert!(report.faults.iter().any(|window| window.detail.starts_with("restart")), "{report}");
        let report = simulate(&plan, &mut Toy::factory(Bug::IgnoresTerm));
        assert!(report.violations.counts().contains_key(&Check::CleanEnd), "{report}");
    }
}
