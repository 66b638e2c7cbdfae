//! The committer: does what the replica asks of the store, one request after the other.
//!
//! It waits for no timer: it takes what there is, commits, and comes again. What is counted while it commits goes with the next commit.

use std::sync::{Arc, PoisonError};

use tracing::error;

use crate::clock::{Clock, unix_ms};
use crate::shared::Shared;
use crate::store::Store;

/// Runs until the replica has ended, or the database has failed. Returns the failure in words.
pub(crate) fn run(shared: &Arc<Shared>, mut store: Store) -> Result<(), String> {
    let result = serve(shared, &mut store);
    if let Err(failure) = &result {
        error!("{failure}");
        if let Some(mut engine) = shared.lock() {
            engine.fail(failure.clone());
            shared.release(engine);
        }
    }
    result
}

fn serve(shared: &Arc<Shared>, store: &mut Store) -> Result<(), String> {
    let closed = || Err("the engine has failed: start the process again".to_owned());
    let mut has_more = true;
    loop {
        let figures = store.figures();
        let Some(mut engine) = shared.lock() else { return closed() };
        engine.status.store.note(figures);
        let request = loop {
            if let Some(request) = engine.next_request() {
                break Some(request);
            }
            if engine.is_done() {
                return Ok(());
            }
            if has_more {
                break None;
            }
            engine = shared.work.wait(engine).unwrap_or_else(PoisonError::into_inner);
        };
        shared.release(engine);
        let Some((token, request)) = request else {
            has_more = store.fold(unix_ms()).map_err(|fatal| fatal.to_string())?;
            continue;
        };
        let clock = Clock::start();
        let outcome = store.request(request).map_err(|fatal| fatal.to_string())?;
        has_more = true;
        let Some(mut engine) = shared.lock() else { return closed() };
        engine.status.store.took(clock.now(), &outcome);
        engine.look_at_clock();
        engine.outcome(token, outcome);
        shared.release(engine);
    }
}
