//! What comes of a step, computed once.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// By the fingerprints of who takes the step and of what causes it: what comes of it.
pub(crate) struct Memo<T>(Mutex<BTreeMap<(u64, u64), T>>);

impl<T: Clone> Memo<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// What comes of a step. It is computed only if it is not known.
    pub(crate) fn get(&self, (who, what): (u64, u64), compute: impl FnOnce() -> T) -> T {
        let known = self.0.lock().unwrap().get(&(who, what)).cloned();
        known.unwrap_or_else(|| {
            let outcome = compute();
            self.0.lock().unwrap().insert((who, what), outcome.clone());
            outcome
        })
    }

    /// How many steps are known.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
