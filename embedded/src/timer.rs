//! The timer: lets the replica do what is due, and tells watchers of changes.

use std::sync::{Arc, PoisonError};

use crate::shared::Shared;
use crate::watch::COALESCED;

/// Runs until the replica has ended.
pub(crate) fn run(shared: &Arc<Shared>) {
    let Some(mut engine) = shared.lock() else { return };
    while !engine.is_done() {
        engine.look_at_clock();
        engine.tick();
        engine.tell_watchers();
        let calls = engine.take_calls();
        if !calls.wakers.is_empty() || calls.work {
            drop(engine);
            shared.call(calls);
            let Some(again) = shared.lock() else { return };
            engine = again;
            continue;
        }
        let watching = engine.has_watchers().then_some(COALESCED);
        let sleep = [engine.sleep_for(), watching].into_iter().flatten().min();
        engine = match sleep {
            Some(sleep) => {
                let woken = shared.time.wait_timeout(engine, sleep);
                woken.map_or_else(|poisoned| PoisonError::into_inner(poisoned).0, |(engine, _)| engine)
            }
            None => shared.time.wait(engine).unwrap_or_else(PoisonError::into_inner),
        };
    }
    engine.tell_all_watchers();
    shared.release(engine);
}
