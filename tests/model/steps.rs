//! Remembers the steps of processes and of the store.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// The number of parts, so that threads seldom wait for each other.
const PARTS: u64 = 64;

/// The results of steps, by the fingerprints of the state and of the input.
pub(crate) struct Steps<T>(Vec<Mutex<BTreeMap<(u64, u64), T>>>);

impl<T: Clone> Steps<T> {
    pub(crate) fn new() -> Self {
        Self((0..PARTS).map(|_| Mutex::default()).collect())
    }

    /// The result of a step. Calls `take` only if it is not remembered.
    pub(crate) fn get(&self, who: u64, what: u64, take: impl FnOnce() -> T) -> T {
        let part = &self.0[usize::try_from((who ^ what) % PARTS).unwrap()];
        if let Some(known) = part.lock().unwrap().get(&(who, what)) {
            return known.clone();
        }
        let outcome = take();
        part.lock().unwrap().insert((who, what), outcome.clone());
        outcome
    }

    /// How many steps are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|part| part.lock().unwrap().len()).sum()
    }
}
