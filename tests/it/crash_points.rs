//! Crashes at every crash point: after each line that a process writes. In virtual time there is one crash at every point,
//! and two in a row at every two points. Real processes crash once.

use maelstrom_counter::config::{AckPolicy, Config};

use crate::cluster::{Op, Violation};
use crate::pipes::Process;
use crate::script::{Crash, How, Incarnations, Step, Virtual};

/// Start and recovery, adds alone and together, gossip, and a shutdown with an add in it.
pub(crate) const BUSY: &[Step] = &[
    Step::Ask(&[Op::Read, Op::Add]),
    Step::Ask(&[Op::Add, Op::Add]),
    Step::Gossip,
    Step::Ask(&[Op::Read]),
    Step::Terminate(&[Op::Add]),
];
const BUSY_UNTIL_INPUT_ENDS: &[Step] =
    &[Step::Ask(&[Op::Add]), Step::Ask(&[Op::Read]), Step::EndInput(&[Op::Add, Op::Read])];
/// The store falls silent: adds that are acknowledged from then on are known to peers.
const WITHOUT_THE_STORE: &[Step] = &[
    Step::Ask(&[Op::Read, Op::Add]),
    Step::StoreFallsSilent,
    Step::Ask(&[Op::Add]),
    Step::Ask(&[Op::Add, Op::Read]),
];
/// The last incarnation reads, adds and reads again.
const LAST: &[Step] = &[
    Step::StoreAnswersAgain,
    Step::Ask(&[Op::Read]),
    Step::Ask(&[Op::Add]),
    Step::Gossip,
    Step::Ask(&[Op::Read]),
];

pub(crate) type Start<'a> = &'a dyn Fn() -> Incarnations<'static>;

/// Runs the last incarnation, and checks that it shows what it must.
fn verify(incarnations: &mut Incarnations<'_>) -> Result<(), Violation> {
    incarnations.run(LAST, None)?;
    incarnations.cluster.check_last_read()?;
    incarnations.cluster.check_record()
}

/// Crashes at every line of the script, in every way. Returns how many crashes there were.
pub(crate) fn every_crash(start: Start<'_>, script: &[Step], hows: &[How]) -> Result<usize, Violation> {
    let mut crashes = 0;
    for at_line in 1.. {
        for &how in hows {
            let crash = Crash { at_line, how };
            let mut incarnations = start();
            let was_killed = incarnations.run(script, Some(crash)).and_then(|was_killed| {
                verify(&mut incarnations)?;
                Ok(was_killed)
            });
            if !was_killed.map_err(|problem| format!("{crash:?}: {problem}"))? {
                return Ok(crashes);
            }
            crashes += 1;
        }
    }
    Ok(crashes)
}

/// As [`every_crash`], and the next incarnation crashes too, at every line, in every way.
fn every_two_crashes(start: Start<'_>, script: &[Step], hows: &[How]) -> Result<usize, Violation> {
    let mut crashes = 0;
    for at_line in 1.. {
        for &how in hows {
            let first = Crash { at_line, how };
            let then = || {
                let mut incarnations = start();
                // If this fails, or the script ends, the search for single crashes has shown it.
                let _ = incarnations.run(script, Some(first));
                incarnations
            };
            let seconds =
                every_crash(&then, script, hows).map_err(|problem| format!("{first:?}, then {problem}"))?;
            crashes += seconds;
        }
        if !start().run(script, Some(Crash { at_line, how: How::Unheard }))? {
            return Ok(crashes);
        }
    }
    Ok(crashes)
}

fn ack(ack: AckPolicy) -> Config {
    Config { ack, ..Config::default() }
}

fn in_virtual_time(config: Config, nodes: usize) -> Incarnations<'static> {
    let mut seed = 0;
    Incarnations::new(nodes, move || {
        seed += 1;
        Box::new(Virtual::start(config.clone(), seed))
    })
}

pub(crate) fn hows(latest: usize) -> Vec<How> {
    let late = (0..=latest).flat_map(|lines| [How::AnsweredLate(lines), How::PerformedLate(lines)]);
    [How::Unheard, How::Performed, How::Answered].into_iter().chain(late).collect()
}

const SAFE: [AckPolicy; 2] = [AckPolicy::Store, AckPolicy::Durable];

#[test]
fn a_crash_at_any_point_loses_nothing_and_doubles_nothing() {
    for policy in SAFE {
        for (nodes, script) in [(1, BUSY), (3, BUSY), (1, BUSY_UNTIL_INPUT_ENDS), (3, BUSY_UNTIL_INPUT_ENDS)]
        {
            let crashes = every_crash(&|| in_virtual_time(ack(policy), nodes), script, &hows(12));
            println!("{policy:?}, {nodes} nodes: {crashes:?} crashes");
            assert!(crashes.unwrap() > 200);
        }
    }
}

#[test]
fn a_crash_while_the_store_is_silent_loses_nothing_that_a_peer_has_confirmed() {
    let crashes = every_crash(&|| in_virtual_time(ack(AckPolicy::Durable), 3), WITHOUT_THE_STORE, &hows(12));
    println!("{crashes:?} crashes");
    assert!(crashes.unwrap() > 200);
}

fn assert_two_crashes_harm_nothing(hows: &[How]) {
    for policy in SAFE {
        for (nodes, script) in [(1, BUSY), (3, BUSY), (1, BUSY_UNTIL_INPUT_ENDS)] {
            let crashes = every_two_crashes(&|| in_virtual_time(ack(policy), nodes), script, hows);
            println!("{policy:?}, {nodes} nodes: {crashes:?} pairs of crashes");
            assert!(crashes.unwrap() > 1000);
        }
    }
}

#[test]
fn two_crashes_in_a_row_at_any_two_points_lose_nothing_and_double_nothing() {
    let late = [How::AnsweredLate(1), How::PerformedLate(2)];
    assert_two_crashes_harm_nothing(&[How::Unheard, How::Performed, How::Answered, late[0], late[1]]);
}

/// Messages from and to a dead process arrive after any number of lines of its successors.
#[test]
#[ignore = "minutes: cargo test --test it every_two_crashes -- --ignored --nocapture"]
fn every_two_crashes_with_whatever_delay_lose_nothing_and_double_nothing() {
    assert_two_crashes_harm_nothing(&hows(12));
}

#[test]
fn a_real_process_killed_at_any_point_loses_nothing_and_doubles_nothing() {
    for policy in ["store", "durable"] {
        for (nodes, script) in [(1, BUSY), (3, BUSY), (1, BUSY_UNTIL_INPUT_ENDS)] {
            let start = || {
                Incarnations::new(nodes, move || {
                    Box::new(Process::start(&["--ack", policy, "--gossip-interval", "20"]))
                })
            };
            let crashes = every_crash(
                &start,
                script,
                &[How::Unheard, How::Performed, How::Answered, How::PerformedLate(2)],
            );
            println!("{policy}, {nodes} nodes: {crashes:?} crashes");
            assert!(crashes.unwrap() > 20);
        }
    }
}
