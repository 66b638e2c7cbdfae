//! Tests of the engine without its threads: the test is the committer, and may be as slow as it wants.

use std::time::Duration;

use replica::{AckPolicy, Change, Reply};
use tempfile::TempDir;

use super::Engine;
use crate::keys::Keys;
use crate::session::Session;
use crate::store::Store;
use crate::{Group, Options};

/// How long the store may be silent before it counts as down.
const TIMEOUT: Duration = Duration::from_secs(1);

struct Site {
    engine: Engine,
    store: Store,
    _directory: TempDir,
}

impl Site {
    /// A site that is ready.
    fn open(ack: AckPolicy) -> Self {
        let directory = TempDir::new().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        store.shows_unstored(ack == AckPolicy::Memory);
        let engine = Engine::alone(Options { ack, ..Options::default() }, "n0".into(), Keys::default());
        let mut site = Self { engine, store, _directory: directory };
        site.commit();
        assert!(site.engine.is_ready());
        site
    }

    /// Does what the store was asked.
    fn commit(&mut self) {
        while let Some((token, request)) = self.engine.next_request() {
            let outcome = self.store.request(request).unwrap();
            self.engine.outcome(token, outcome);
        }
    }

    /// So much time passes, and the timer comes whenever it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.engine.now + time;
        while let Some(sleep) = self.engine.sleep_for().filter(|sleep| self.engine.now + *sleep < end) {
            self.stand_still(sleep.max(Duration::from_millis(1)));
        }
        self.stand_still(end.saturating_sub(self.engine.now));
    }

    /// So much time passes, and nothing runs meanwhile.
    fn stand_still(&mut self, time: Duration) {
        self.engine.look(self.engine.now + time);
        self.engine.tick();
    }

    fn is_store_down(&self) -> bool {
        self.engine.status().is_store_down
    }

    fn submit(&mut self, ask: impl FnOnce(&mut Session<'_>)) -> Group {
        let mut session = Session::new(&mut self.engine);
        ask(&mut session);
        session.end()
    }

    fn add(&mut self) -> Group {
        self.submit(|session| session.change(Change::Add("views".into(), 3)))
    }

    /// What another client is shown.
    fn shown(&mut self) -> Option<i128> {
        let mut shown = None;
        self.submit(|session| shown = session.get(&"views".into()));
        shown
    }
}

#[test]
fn nobody_else_is_shown_an_add_before_it_is_stored() {
    for ack in [AckPolicy::Store, AckPolicy::Durable] {
        let mut site = Site::open(ack);
        let adding = site.add();
        assert_eq!(site.shown(), None);
        let reading = site.submit(|session| session.read(&"views".into()));
        assert_eq!(reading.wait()[0].as_ref().unwrap().reply, Reply::Value(0));
        site.commit();
        assert_eq!(site.shown(), Some(3));
        assert_eq!(adding.wait()[0].as_ref().unwrap().reply, Reply::Value(3));
    }
    let mut site = Site::open(AckPolicy::Memory);
    drop(site.add());
    assert_eq!(site.shown(), Some(3), "it does not wait for the store");
}

/// What is held is not counted yet, so a group that tells values of its own must not be begun.
#[test]
fn while_the_store_is_silent_changes_are_held_unless_memory_is_enough() {
    for (ack, is_held) in [(AckPolicy::Store, true), (AckPolicy::Durable, true), (AckPolicy::Memory, false)] {
        let mut site = Site::open(ack);
        drop(site.add());
        assert!(!Session::new(&mut site.engine).holds_changes());
        // The first minute begins a commit, if none was begun.
        for _ in 0..2 {
            site.pass(Duration::from_mins(1));
        }
        assert!(site.is_store_down());
        assert_eq!(Session::new(&mut site.engine).holds_changes(), is_held, "{ack:?}");
    }
}

/// As after SIGSTOP in the middle of a commit.
#[test]
fn the_time_that_the_process_stood_still_is_not_the_silence_of_the_store() {
    for ack in [AckPolicy::Store, AckPolicy::Durable, AckPolicy::Memory] {
        let mut site = Site::open(ack);
        drop(site.add());
        site.pass(Duration::from_millis(200));
        site.stand_still(Duration::from_mins(1));
        assert!(!site.is_store_down(), "the answer may wait to be read");
        assert!(site.engine.sleep_for() <= Some(TIMEOUT), "that is judged soon");
        site.commit();
        site.pass(Duration::from_mins(1));
        assert!(!site.is_store_down());
    }
}

#[test]
fn a_store_that_is_silent_after_a_stall_is_down() {
    let mut site = Site::open(AckPolicy::Durable);
    drop(site.add());
    site.pass(Duration::from_millis(200));
    site.stand_still(Duration::from_mins(1));
    site.pass(TIMEOUT / 2);
    assert!(!site.is_store_down());
    site.pass(TIMEOUT / 2);
    assert!(site.is_store_down());
}
