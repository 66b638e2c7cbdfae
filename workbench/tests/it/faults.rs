use std::time::Duration;

use workbench::{Check, Fault, Plan, Workload, simulate};

use crate::toy::{Bug, Toy};

#[test]
fn partitions_delay_but_lose_nothing() {
    for seed in 0..10 {
        let plan = Plan { nemesis: [Fault::Partition].into(), ..Plan::new(Workload::GCounter, seed) };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        assert!(report.valid, "{report}");
        assert!(report.faults.len() >= 2);
        assert!(report.faults.iter().all(|fault| fault.until.is_some()));
    }
}

#[test]
fn a_cut_that_lasts_keeps_the_nodes_apart() {
    let plan = Plan { cut_peers: true, ..Plan::new(Workload::GCounter, 1) };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    assert!(report.violations.counts().contains_key(&Check::Agreement), "{report}");
    assert_eq!(report.convergence, None);
}

#[test]
fn killing_a_node_without_a_store_loses_what_it_knew() {
    let caught = (0..10).any(|seed| {
        let plan = Plan { nemesis: [Fault::Kill].into(), ..Plan::new(Workload::GCounter, seed) };
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
        ..Plan::new(Workload::GCounter, 3)
    };
    let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
    assert!(report.operations.timeouts > 0, "{report}");
    // The toy answers what it finds on its input after the pause, though the clients are gone.
    let broken = report.violations.counts();
    assert!(broken.contains_key(&Check::Destination) || broken.contains_key(&Check::Replies), "{report}");
}
