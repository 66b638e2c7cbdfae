//! What a change does to counters, one by one.

use replica::{Change, Name, Step};

/// One thing that a change does to a counter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act<'a> {
    Add(i64),
    Reset,
    /// A source has reported this total.
    Report(&'a Name, u64),
}

/// What a change does, in its order.
pub(crate) fn acts(change: &Change) -> Vec<(&Name, Act<'_>)> {
    match change {
        Change::Add(counter, delta) => vec![(counter, Act::Add(*delta))],
        Change::Reset(counter) => vec![(counter, Act::Reset)],
        Change::Report { counter, source, total } => vec![(counter, Act::Report(source, *total))],
        Change::Batch(steps) => steps.iter().map(|(counter, step)| (counter, act(*step))).collect(),
    }
}

fn act(step: Step) -> Act<'static> {
    match step {
        Step::Add(delta) => Act::Add(delta),
        Step::Reset => Act::Reset,
    }
}

/// The counters that a change resets.
pub(crate) fn resets(change: &Change) -> impl Iterator<Item = &Name> {
    let acts = acts(change).into_iter();
    acts.filter_map(|(counter, act)| matches!(act, Act::Reset).then_some(counter))
}
