//! What all handles and both threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::Waker;

use crate::engine::Engine;
use crate::{Group, Refused, Session};

/// The engine, and how its threads are woken.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    /// The committer waits here for requests to the store.
    pub(crate) work: Condvar,
    /// The timer waits here until something is due.
    pub(crate) time: Condvar,
}

impl Shared {
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self { engine: Mutex::new(engine), work: Condvar::new(), time: Condvar::new() })
    }

    /// The engine, alone. `None` after a panic in it: it may be half changed, and must not be used any more.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, Engine>> {
        self.engine.lock().ok()
    }

    /// Submits requests together: see [`Counters::submit`](crate::Counters::submit).
    pub(crate) fn submit(&self, ask: impl FnOnce(&mut Session<'_>)) -> Group {
        let Some(mut engine) = self.lock() else {
            return Group::ready(vec![Err(Refused::Failed)]);
        };
        let mut session = Session::new(&mut engine);
        ask(&mut session);
        let group = session.end();
        self.release(engine);
        group
    }

    /// Lets the engine go, and wakes whom it has something for.
    pub(crate) fn release(&self, mut engine: MutexGuard<'_, Engine>) {
        let calls = engine.take_calls();
        drop(engine);
        self.call(calls);
    }

    pub(crate) fn call(&self, calls: Calls) {
        if calls.work {
            self.work.notify_one();
        }
        if calls.time {
            self.time.notify_one();
        }
        calls.wakers.into_iter().for_each(Waker::wake);
    }
}

/// Whom to wake once the engine is released. (Woken before, they would wait for it.)
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Clients whose answers are there.
    pub(crate) wakers: Vec<Waker>,
    /// The committer.
    pub(crate) work: bool,
    /// The timer: something is due earlier than it knows.
    pub(crate) time: bool,
}
