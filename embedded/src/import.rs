//! Importing what was exported.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, Read};

use crdt::Merge;
use crdt::named::{Baseline, Entry, More};
use replica::{MAX_COUNTERS, MAX_NAME, MAX_REPLICAS, MAX_SOURCES, ReplicaId, RowDelta};

use crate::Refused;
use crate::export::{CounterLine, FORMAT, Line};

/// How many bytes a line may have.
const MAX_LINE: u64 = 1 << 24;

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// How many counters the replicas have, each counted once for each replica.
    pub counters: usize,
    /// How many replicas.
    pub replicas: usize,
}

/// Why nothing was imported.
#[derive(Debug)]
pub enum ImportError {
    /// A line can't be read. The first line is 1.
    Line(usize, String),
    /// The lines can't be read.
    Io(std::io::Error),
    /// The replica refuses.
    Refused(Refused),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line, problem) => write!(f, "line {line}: {problem}"),
            Self::Io(error) => write!(f, "can't read: {error}"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}

/// The counters of a replica so far, by slot.
type Slots = BTreeMap<u32, (u64, String, Entry<ReplicaId>)>;

/// Reads exported lines: the whole row of each replica.
pub(crate) fn read(mut lines: impl BufRead) -> Result<Vec<RowDelta>, ImportError> {
    let (mut open, mut done): (BTreeMap<String, Slots>, BTreeMap<String, RowDelta>) = Default::default();
    let (mut text, mut number, mut counters) = (String::new(), 0, 0);
    loop {
        text.clear();
        number += 1;
        let wrong = |problem: &str| ImportError::Line(number, problem.into());
        let read = (&mut lines).take(MAX_LINE).read_line(&mut text).map_err(ImportError::Io)?;
        if read == 0 {
            break;
        }
        if !text.ends_with('\n') && read as u64 == MAX_LINE {
            return Err(wrong("the line is too long"));
        }
        let line: Line =
            serde_json::from_str(&text).map_err(|_| wrong("this is no line of an export of counterd"))?;
        match line {
            Line::Begin { format, .. } if format != FORMAT => {
                return Err(wrong("the export is of another version: use the program that made it"));
            }
            Line::Begin { .. } => {}
            Line::Counter(line) => {
                counters += 1;
                if counters > MAX_COUNTERS || open.len() + done.len() > MAX_REPLICAS {
                    return Err(wrong("there are too many counters"));
                }
                let slots = open.entry(line.replica.clone()).or_default();
                take(slots, line).map_err(|problem| wrong(&problem))?;
            }
            Line::End { replica, complete_to } => {
                let slots = open.remove(&replica).unwrap_or_default();
                let row = row(&replica, slots, complete_to).map_err(|problem| wrong(&problem))?;
                done.insert(replica, row);
            }
        }
    }
    match open.first_key_value() {
        Some((replica, _)) => {
            let problem = format!("the counts of {replica} do not end: the file is cut off");
            Err(ImportError::Line(number, problem))
        }
        None => Ok(done.into_values().collect()),
    }
}

/// Takes a counter of a replica. If it comes twice, the later line has more.
fn take(slots: &mut Slots, line: CounterLine) -> Result<(), String> {
    let CounterLine { slot, number, counter, up, down, sources, reset, reset_sources, replica: _ } = line;
    let is_too_long = |name: &String| name.len() > MAX_NAME;
    if is_too_long(&counter) || sources.keys().chain(reset_sources.keys()).any(is_too_long) {
        return Err(format!("a name has more than {MAX_NAME} bytes"));
    }
    if sources.len() > MAX_SOURCES {
        return Err(format!("the counter has more than {MAX_SOURCES} sources"));
    }
    let mut more = More::default();
    for (source, total) in sources {
        more.totals.raise(std::sync::Arc::<str>::from(source), total);
    }
    let mut baseline = Baseline::default();
    for (replica, (up, down)) in reset {
        let replica: ReplicaId = replica.parse().map_err(|_| format!("{replica} is no replica"))?;
        baseline.counts.raise(&replica, up, down);
    }
    for (source, total) in reset_sources {
        baseline.totals.raise(std::sync::Arc::<str>::from(source), total);
    }
    more.baseline = baseline;
    let is_plain = more == More::default();
    let entry = Entry { up, down, more: (!is_plain).then(|| Box::new(more)) };
    let (known, name, held) =
        slots.entry(slot).or_insert_with(|| (number, counter.clone(), Entry::default()));
    if *name != counter {
        return Err(format!("slot {slot} is {name} and {counter}"));
    }
    *known = number.max(*known);
    held.merge(&entry);
    Ok(())
}

/// The whole row of a replica.
fn row(replica: &str, slots: Slots, complete_to: u64) -> Result<RowDelta, String> {
    let replica: ReplicaId = replica.parse().map_err(|_| format!("{replica} is no replica"))?;
    let mut slots: Vec<_> = slots.into_iter().collect();
    let is_whole = (0..).zip(&slots).all(|(expected, (slot, _))| expected == *slot);
    if !is_whole || slots.iter().any(|(_, (number, ..))| *number > complete_to || *number == 0) {
        return Err(format!("the counts of {replica} are not whole"));
    }
    slots.sort_by_key(|(slot, (number, ..))| (*number, *slot));
    let mut row = RowDelta::new(replica, 0, complete_to);
    for (slot, (number, name, entry)) in slots {
        row.push(slot, number, Some(&name), entry);
    }
    Ok(row)
}
