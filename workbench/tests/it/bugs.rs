use std::collections::BTreeSet;
use std::time::Duration;

use workbench::{Check, Counter, Fault, Plan, Promises, Report, simulate};

use crate::toy::{Bug, Toy};

fn run(bug: Bug) -> Report {
    let plan = Plan { silence: Some(Duration::from_secs(10)), ..Plan::new(&Counter::G, 1) };
    simulate(&plan, &mut Toy::factory(bug))
}

/// Asserts that a bug is caught, by that check among others.
fn assert_caught(bug: Bug, check: Check) {
    let report = run(bug);
    let broken: Vec<Check> = report.violations.counts().keys().copied().collect();
    assert!(!report.valid && broken.contains(&check), "{bug:?}: {broken:?}\n{report}");
}

#[test]
fn a_good_node_is_valid() {
    let report = run(Bug::Nothing);
    assert!(report.valid, "{report}");
    assert!((report.operations.ok_fraction - 1.0).abs() < f64::EPSILON);
    assert!(report.convergence.unwrap() <= Duration::from_secs(1), "{report}");
    assert!((1800..2200).contains(&report.operations.count), "{report}");
    assert_eq!(report.final_reads.len(), 3);
}

#[test]
fn each_bug_is_caught_by_its_check() {
    assert_caught(Bug::LosesAdds, Check::FinalReads);
    assert_caught(Bug::CountsTwice, Check::FinalReads);
    assert_caught(Bug::CountsTwice, Check::ImpossibleReads);
    assert_caught(Bug::AnswersLate, Check::Destination);
    assert_caught(Bug::GossipsToStrangers, Check::Destination);
    assert_caught(Bug::AnswersZero, Check::FinalReads);
    assert_caught(Bug::AnswersZero, Check::OwnAdds);
    assert_caught(Bug::GoesBack, Check::MonotonicReads);
    assert_caught(Bug::SaysTooMuch, Check::Schema);
    assert_caught(Bug::Chats, Check::Output);
    assert_caught(Bug::AnswersTwice, Check::Replies);
    assert_caught(Bug::RefusesAndCounts, Check::DefiniteErrors);
    assert_caught(Bug::NeverGossips, Check::Agreement);
    assert_caught(Bug::IgnoresInit, Check::Init);
    assert_caught(Bug::Exits, Check::Exit);
    assert_caught(Bug::Forges, Check::Source);
    assert_caught(Bug::StopsReading, Check::FinalReadsAnswered);
    assert_caught(Bug::Spins, Check::Exit);
    assert_caught(Bug::Invents, Check::ImpossibleReads);
    assert_caught(Bug::NeverSilent, Check::Silence);
}

#[test]
fn without_strict_only_maelstroms_own_checks_count() {
    for bug in [Bug::AnswersTwice, Bug::RefusesAndCounts, Bug::NeverSilent, Bug::Forges] {
        let plan = Plan { strict: BTreeSet::new(), ..Plan::new(&Counter::G, 1) };
        let report = simulate(&plan, &mut Toy::factory(bug));
        assert!(report.valid, "{bug:?}\n{report}");
    }
}

#[test]
fn a_finding_of_a_check_that_does_not_count_is_a_remark() {
    let run = |strict: &[Check]| {
        let plan = Plan { strict: strict.iter().copied().collect(), ..Plan::new(&Counter::G, 1) };
        simulate(&plan, &mut Toy::factory(Bug::GoesBack))
    };
    let report = run(&[]);
    assert!(report.valid && report.remarks.counts().contains_key(&Check::MonotonicReads), "{report}");
    let text = report.to_string();
    assert!(text.contains("remark      monotonic-reads"), "{text}");
    assert!(text.ends_with("verdict     valid; by all checks (--strict) INVALID"), "{text}");
    assert!(report.to_html().contains("What a stricter bench would say"));
    let report = run(&[Check::MonotonicReads]);
    assert!(!report.valid && !report.remarks.counts().contains_key(&Check::MonotonicReads), "{report}");
    assert!(report.remarks.counts().contains_key(&Check::OwnAdds), "{report}");
    let report = run(&[Check::MonotonicReads, Check::OwnAdds]);
    assert!(report.remarks.counts().is_empty(), "{report}");
}

/// The toy keeps its counts in memory only. So reads go back after a crash.
#[test]
fn reads_that_go_back_over_a_crash_are_caught_if_the_node_promises_that_they_do_not() {
    let run = |seed, nemesis: &[Fault], reads_survive_crashes| {
        let plan = Plan {
            nemesis: nemesis.iter().copied().collect(),
            promises: Promises { reads_survive_crashes, ..Promises::default() },
            ..Plan::new(&Counter::G, seed)
        };
        let report = simulate(&plan, &mut Toy::factory(Bug::Nothing));
        report.violations.counts().contains_key(&Check::MonotonicReadsAcrossCrashes)
    };
    assert!((0..5).any(|seed| run(seed, &[Fault::Kill], true)));
    assert!(!(0..5).any(|seed| run(seed, &[Fault::Kill], false)));
    assert!(!(0..5).any(|seed| run(seed, &[Fault::Partition, Fault::Pause], true)));
}

#[test]
fn a_mute_node_times_out_from_then_on() {
    let report = run(Bug::GossipsToStrangers);
    assert!(report.operations.timeouts > 5, "{report}");
    assert!(report.violations.examples().iter().any(|violation| violation.text.contains("n99")));
}
