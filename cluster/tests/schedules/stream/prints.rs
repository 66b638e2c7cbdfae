//! Fingerprints of the servers and of what clients have heard.
//!
//! A process does the same each time that it hears the same in the same order. So what it has heard stands for the process, and for
//! what it has asked.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use cluster::store::{Appended, Interrupted, Stored};

use crate::copy::Change;

use super::{Answer, Call, CallId, Reading, Stream};

/// What has happened so far.
#[derive(Default)]
pub(super) struct Prints {
    /// What each process has heard. `None`: it is dead.
    heard: BTreeMap<usize, Option<u64>>,
    /// How many calls each process has made.
    made: BTreeMap<usize, u64>,
    /// The changes in their order.
    log: u64,
}

pub(crate) fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Prints {
    /// How many calls this process had made before.
    pub(super) fn made(&mut self, process: usize) -> u64 {
        let made = self.made.entry(process).or_default();
        std::mem::replace(made, *made + 1)
    }

    pub(super) fn told(&mut self, id: CallId, answer: &Answer) {
        let heard = self.heard.entry(id.process).or_insert(Some(0));
        *heard = heard.map(|before| hash((before, id, print(answer))));
    }

    pub(super) fn committed(&mut self, id: CallId, change: &Change) -> u64 {
        self.log = hash((self.log, id, &change.subject, &change.payload));
        self.log
    }

    pub(super) fn died(&mut self, process: usize) {
        self.heard.insert(process, None);
    }
}

/// What a message is stands in the stream.
fn print(answer: &Answer) -> (u8, u64, u64) {
    match answer {
        Answer::Append(Appended::At(sequence)) => (0, *sequence, 0),
        Answer::Append(Appended::Conflict) => (1, 0, 0),
        Answer::Append(Appended::Busy) => (2, 0, 0),
        Answer::Append(Appended::NotDone) => (3, 0, 0),
        Answer::Append(Appended::Unknown) => (4, 0, 0),
        Answer::Read(Ok(())) | Answer::Turn => (5, 0, 0),
        Answer::Read(Err(Interrupted)) | Answer::Next(Err(Interrupted)) => (6, 0, 0),
        Answer::Next(Ok(Stored { sequence, place, .. })) => (7, *sequence, *place),
    }
}

impl Stream {
    pub(crate) fn fingerprint(&self) -> u64 {
        let Prints { heard, log, made: _ } = &self.prints;
        let done = self.calls.iter().filter_map(|(id, call)| match call {
            Call::Done(appended) => Some((id, print(&Answer::Append(*appended)))),
            Call::Asked(_) | Call::Heard(_) => None,
        });
        let done: Vec<_> = done.collect();
        let adrift: Vec<_> = self.adrift.keys().collect();
        let place =
            |(id, reading): (&CallId, &Reading)| (*id, reading.position, reading.cursor, reading.place);
        let readings: Vec<_> = self.readings.iter().map(place).collect();
        hash((heard, log, done, adrift, readings))
    }
}
