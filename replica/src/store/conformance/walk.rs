//! A long random walk: several processes of several nodes, each with what it last knew of its record.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::runner::{Change, Runner, STALE, incarnation, replica};
use super::{Failure, NODES, Subject};
use crate::identity::NodeId;
use crate::store::{Changes, Ownership, Record, Revision};
use crate::tally::Tally;

const STEPS: u64 = 400;

/// A process, and what it knows.
struct Walker<P> {
    process: P,
    /// The index of its node.
    node: usize,
    /// The revision at which it last saw the record, and how many commits had been done by then.
    known: Option<(Revision, u64)>,
}

/// What a node's record must hold.
#[derive(Default)]
struct Expected {
    record: Record,
    commits: u64,
}

pub(super) fn many_requests_end_as_they_should<S: Subject>(runner: &mut Runner<S>) -> Result<(), Failure> {
    let names = NODES.map(NodeId::from);
    let mut rng = SmallRng::seed_from_u64(1);
    let mut expected = names.each_ref().map(|_| Expected::default());
    let starts = names.iter().enumerate().flat_map(|start| [start, start]);
    let mut walkers: Vec<_> =
        starts.map(|(node, name)| Walker { process: runner.store.start(name), node, known: None }).collect();
    for step in 1..=STEPS {
        let at = rng.random_range(0..walkers.len());
        let Some(walker) = walkers.get_mut(at) else { continue };
        let (Some(name), Some(wanted)) = (names.get(walker.node), expected.get_mut(walker.node)) else {
            continue;
        };
        match (rng.random_range(0..8), walker.known) {
            (0, _) => walker.process = runner.store.start(name),
            (1, _) => {
                let other = rng.random_range(0..names.len());
                if let (Some(name), Some(wanted)) = (names.get(other), expected.get_mut(other)) {
                    load(runner, &mut walker.process, name, wanted)?;
                    if other != walker.node && rng.random_bool(0.2) {
                        seal(runner, &mut walker.process, (name, wanted), step)?;
                    }
                }
                continue;
            }
            (2..=5, Some((revision, commits))) => {
                let change = change(&names, walker.node, step, &mut rng);
                if commits == wanted.commits {
                    let (record, revision) =
                        runner.commit(&mut walker.process, (&wanted.record, revision), &change)?;
                    *wanted = Expected { record, commits: commits + 1 };
                    walker.known = Some((revision, wanted.commits));
                    continue;
                }
                runner.commit_in_vain(&mut walker.process, (&wanted.record, revision), &change)?;
            }
            _ => {}
        }
        walker.known = Some((open(runner, &mut walker.process, wanted)?, wanted.commits));
    }
    Ok(())
}

fn load<S: Subject>(
    runner: &mut Runner<S>,
    process: &mut S::Process,
    name: &NodeId,
    wanted: &Expected,
) -> Result<(), Failure> {
    runner.fence(process)?;
    let record = (wanted.commits > 0).then_some(&wanted.record);
    runner.load_to_find(process, (name, record), "A load must bring the record.")
}

/// Another node seals the record. For the processes of the node that is as another commit.
fn seal<S: Subject>(
    runner: &mut Runner<S>,
    process: &mut S::Process,
    (name, wanted): (&NodeId, &mut Expected),
    step: u64,
) -> Result<(), Failure> {
    let from = (wanted.commits > 0).then_some(&wanted.record);
    let rows = [(Tally { up: step, down: step / 2 }).row(replica(name, step % 4))];
    let record = runner.seal(process, (name, from), &rows)?;
    *wanted = Expected { record, commits: wanted.commits + 1 };
    Ok(())
}

fn open<S: Subject>(
    runner: &mut Runner<S>,
    process: &mut S::Process,
    wanted: &Expected,
) -> Result<Revision, Failure> {
    if wanted.record.seal.is_some() {
        runner.fence(process)?;
    }
    if wanted.commits > 0 {
        return runner.open_to_find(process, &wanted.record, STALE);
    }
    match runner.open(process)? {
        (None, revision) => Ok(revision),
        (Some(_), _) => {
            Err(Failure { rule: STALE, found: "a record was there that nobody has committed".into() })
        }
    }
}

/// Something new for the record of this node.
fn change(names: &[NodeId; 3], node: usize, step: u64, rng: &mut SmallRng) -> Change {
    let [first, second, third] = names;
    let (own, other) = match node {
        0 => (first, second),
        1 => (second, third),
        _ => (third, first),
    };
    let row = replica(own, rng.random_range(1..4));
    let hint = replica(other, rng.random_range(1..4));
    // Whoever writes it, the row grows in both directions.
    let tally = Tally { up: step, down: step / 2 };
    let changes = Changes {
        rows: vec![tally.row(row.clone())],
        hints: if rng.random_bool(0.5) { vec![tally.row(hint.clone())] } else { Vec::new() },
        dropped_hints: if rng.random_bool(0.3) { vec![hint] } else { Vec::new() },
        lifts_seal: rng.random_bool(0.5),
        notes: Vec::new(),
    };
    let incarnation = incarnation(step);
    let owner = Ownership { replica: row, incarnation, is_free: rng.random_bool(0.5) };
    Change { changes, owner: rng.random_bool(0.5).then_some(owner) }
}
