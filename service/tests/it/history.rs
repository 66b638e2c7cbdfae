//! What clients asked and what was answered, counter by counter, for the workbench's checks.
//!
//! The server and its directory are one node with one incarnation: what the server promises, it promises over its restarts. All
//! clients are one worker, because an acknowledged add must be in every read that is asked for after it, whoever asks.
#![expect(clippy::disallowed_types, reason = "a history has times")]

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use workbench::{
    Answer, Completion, History, Operation, Outcome, Plan, Promises, Request, Violations, Workload,
    judge_counter,
};

/// No wait of a test is longer than this.
pub(crate) const BOUND: Duration = Duration::from_mins(2);

/// How a request ended, over either protocol.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// It was done, and this was told.
    Done(i64),
    /// It was not done, and never will be.
    NotDone(String),
    /// It may have been done.
    Maybe(String),
}

/// Records the histories of some counters.
pub(crate) struct Recorder {
    begun: Instant,
    tape: Mutex<Tape>,
    changed: Condvar,
}

/// What was recorded so far.
#[derive(Default)]
pub(crate) struct Tape {
    histories: BTreeMap<&'static str, History>,
    /// How many requests were acknowledged, refused for certain, and neither.
    pub(crate) done: u64,
    pub(crate) not_done: u64,
    pub(crate) maybe: u64,
    /// How many requests wait for their answer.
    pub(crate) waiting: usize,
}

/// The operations that one request makes.
#[must_use]
pub(crate) struct Asked(Vec<(&'static str, usize)>);

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), tape: Mutex::default(), changed: Condvar::new() }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap()
    }

    /// To be called before a request is sent: what it asks of each counter.
    pub(crate) fn ask(&self, client: usize, steps: &[(&'static str, Request)]) -> Asked {
        self.invoke(client, steps, false)
    }

    /// The same for a read that ends the run.
    pub(crate) fn ask_finally(&self, counter: &'static str) -> Asked {
        self.invoke(0, &[(counter, Request::read())], true)
    }

    fn invoke(&self, client: usize, steps: &[(&'static str, Request)], is_final: bool) -> Asked {
        self.tape().waiting += 1;
        self.changed.notify_all();
        self.also_ask(Asked(Vec::new()), client, steps, is_final)
    }

    /// To be called before the answer is recorded, if only the answer told what else was asked.
    pub(crate) fn also(&self, asked: Asked, client: usize, step: (&'static str, Request)) -> Asked {
        self.also_ask(asked, client, &[step], false)
    }

    fn also_ask(
        &self,
        mut asked: Asked,
        client: usize,
        steps: &[(&'static str, Request)],
        is_final: bool,
    ) -> Asked {
        let mut tape = self.tape();
        let invoked = self.begun.elapsed();
        let invoke = |(counter, request): &(&'static str, Request)| {
            let operation = Operation {
                process: client as u64,
                worker: 0,
                node: 0,
                incarnation: 1,
                request: request.clone(),
                is_final,
                invoked,
                completion: None,
            };
            (*counter, tape.histories.entry(counter).or_default().invoke(operation))
        };
        asked.0.extend(steps.iter().map(invoke));
        asked
    }

    /// To be called after the answer has come.
    pub(crate) fn answer(&self, asked: Asked, reply: &Reply) {
        let mut tape = self.tape();
        tape.waiting -= 1;
        match reply {
            Reply::Done(_) => tape.done += 1,
            Reply::NotDone(_) => tape.not_done += 1,
            Reply::Maybe(_) => tape.maybe += 1,
        }
        let at = self.begun.elapsed();
        for (counter, number) in asked.0 {
            let Some(history) = tape.histories.get_mut(counter) else { continue };
            let is_read =
                history.operations().get(number).is_some_and(|asked| asked.request == Request::read());
            let outcome = match reply {
                Reply::Done(value) if is_read => Outcome::Ok(Answer::Integer(*value)),
                Reply::Done(_) => Outcome::Ok(Answer::Done),
                Reply::NotDone(text) => Outcome::Refused { code: 11, definite: true, text: text.clone() },
                Reply::Maybe(_) => Outcome::Timeout,
            };
            history.complete(number, Completion { at, incarnation: 1, outcome });
        }
        self.changed.notify_all();
    }

    /// Waits until the tape is as wanted. Returns false if that takes too long.
    pub(crate) fn wait(&self, mut is_there: impl FnMut(&Tape) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.tape(), BOUND, |tape| !is_there(tape)).unwrap();
        !waited.1.timed_out()
    }

    /// Waits until so many more requests are acknowledged.
    pub(crate) fn wait_for_more(&self, more: u64) {
        let enough = self.counts().0 + more;
        assert!(self.wait(|tape| tape.done >= enough), "the server acknowledges nothing any more");
    }

    /// How many requests were acknowledged, refused for certain, and neither.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let tape = self.tape();
        (tape.done, tape.not_done, tape.maybe)
    }

    /// What the workbench finds wrong with the history of a counter.
    pub(crate) fn judge(&self, counter: &str, workload: &'static dyn Workload) -> Violations {
        let tape = self.tape();
        let promises = Promises { reads_survive_crashes: true, ..Promises::default() };
        judge_counter(&tape.histories[counter], &Plan { promises, ..Plan::new(workload, 0) })
    }
}
