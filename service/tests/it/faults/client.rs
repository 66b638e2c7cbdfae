//! A client: draws requests, sends them, and records them.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use workbench::Request;

use super::site::Site;
use super::talk::Talk;
use crate::history::{Recorder, Reply};

/// Adds without keys, over both protocols.
pub(crate) const PLAIN: &str = "plain";
/// Adds with keys, which are repeated until they are acknowledged.
pub(crate) const KEYED: &str = "keyed";
/// Adds to two counters in one batch, over both protocols.
pub(crate) const PAIR: [&str; 2] = ["left", "right"];
/// Adds, subtractions and resets with keys.
pub(crate) const STOCK: &str = "stock";
/// Totals that each client reports of its own.
pub(crate) const REPORTED: &str = "reported";

/// A fault of the test's own, to see that the checks find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// An add is repeated without its key, as if its answer had been lost.
    RepeatWithoutKey,
}

pub(crate) struct Client<'a> {
    number: usize,
    site: &'a Site,
    recorder: &'a Recorder,
    planted: Planted,
    random: SmallRng,
    talk: Talk,
    /// How many keys it has used.
    keys: u64,
    /// What it has reported.
    total: i64,
    /// How many times it has repeated a request.
    pub(crate) repeated: u64,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        number: usize,
        site: &'a Site,
        recorder: &'a Recorder,
        seed: u64,
        planted: Planted,
    ) -> Self {
        let random = SmallRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let talk = Talk::to(site.address());
        Self { number, site, recorder, planted, random, talk, keys: 0, total: 0, repeated: 0 }
    }

    /// One request, and its repetitions.
    pub(crate) fn act(&mut self) {
        self.look();
        let delta = self.random.random_range(1..10);
        match self.random.random_range(0..12) {
            0 => self.once(PLAIN, Request::add(delta), |talk| {
                talk.post("counters/plain/add", None, &json!({ "delta": delta }))
            }),
            1 => self.once(PLAIN, Request::add(delta), |talk| {
                talk.redis(redis::pipe().cmd("INCRBY").arg(PLAIN).arg(delta))
            }),
            2 => self.batch(delta),
            3 => self.transaction(delta),
            4 | 5 => self.keyed_add(KEYED, delta),
            6 => {
                let delta = if self.random.random() { delta } else { -delta };
                self.keyed_add(STOCK, delta);
            }
            7 => self.reset(),
            8 => self.report(delta),
            9 | 10 => self.read(),
            _ => self.read_by_redis(),
        }
    }

    /// Every second client goes through the proxy.
    fn look(&mut self) {
        let address = self.site.address();
        let is_cut = self.number.is_multiple_of(2);
        self.talk.turn_to(if is_cut { self.site.cutting_address() } else { address });
    }

    fn once(&mut self, counter: &'static str, request: Request, send: impl FnOnce(&mut Talk) -> Reply) {
        let asked = self.recorder.ask(self.number, &[(counter, request)]);
        let reply = send(&mut self.talk);
        self.recorder.answer(asked, &reply);
    }

    fn batch(&mut self, delta: i64) {
        let asked = self.recorder.ask(self.number, &PAIR.map(|name| (name, Request::add(delta))));
        let adds = PAIR.map(|name| json!({ "name": name, "delta": delta }));
        let reply = self.talk.post("batch", None, &json!({ "adds": adds }));
        self.recorder.answer(asked, &reply);
    }

    fn transaction(&mut self, delta: i64) {
        let asked = self.recorder.ask(self.number, &PAIR.map(|name| (name, Request::add(delta))));
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        for name in PAIR {
            pipeline.cmd("INCRBY").arg(name).arg(delta);
        }
        let reply = self.talk.redis(&pipeline);
        self.recorder.answer(asked, &reply);
    }

    fn keyed_add(&mut self, counter: &'static str, delta: i64) {
        let asked = self.recorder.ask(self.number, &[(counter, Request::add(delta))]);
        let key = self.next_key();
        let path = format!("counters/{counter}/add");
        let body = json!({ "delta": delta });
        let reply = self.until_done(|client| client.talk.post(&path, Some(&key), &body));
        if self.planted == Planted::RepeatWithoutKey {
            self.until_done(|client| client.talk.post(&path, None, &body));
        }
        self.recorder.answer(asked, &reply);
    }

    /// How much a reset subtracts is known by its answer only. So it is recorded then, as an add of that. That is no less strict:
    /// the bounds of a read get wider by it only once it is recorded, and values lie between nothing and all adds.
    fn reset(&mut self) {
        let asked = self.recorder.ask(self.number, &[]);
        let key = self.next_key();
        let reply = self.until_done(|client| {
            client.talk.post(&format!("counters/{STOCK}/reset"), Some(&key), &json!({}))
        });
        let subtracted = match reply {
            Reply::Done(value) => value,
            Reply::NotDone(_) | Reply::Maybe(_) => 0,
        };
        let asked = self.recorder.also(asked, self.number, (STOCK, Request::add(-subtracted)));
        self.recorder.answer(asked, &reply);
    }

    /// A report needs no key: it may be repeated.
    fn report(&mut self, delta: i64) {
        self.total += delta;
        let asked = self.recorder.ask(self.number, &[(REPORTED, Request::add(delta))]);
        let path = format!("counters/{REPORTED}/sources/client-{}", self.number);
        let reply = self.until_done(|client| client.talk.put(&path, &json!({ "total": client.total })));
        self.recorder.answer(asked, &reply);
    }

    fn read(&mut self) {
        let counters = [PLAIN, KEYED, PAIR[0], PAIR[1], REPORTED];
        let counter = counters[self.random.random_range(0..counters.len())];
        self.once(counter, Request::read(), |talk| talk.read(counter));
    }

    fn read_by_redis(&mut self) {
        self.once(PLAIN, Request::read(), |talk| talk.redis(redis::pipe().cmd("GET").arg(PLAIN)));
    }

    /// Repeats a request until it is acknowledged.
    fn until_done(&mut self, mut send: impl FnMut(&mut Self) -> Reply) -> Reply {
        for _ in 0..1_000 {
            let reply = send(self);
            if matches!(reply, Reply::Done(_)) {
                return reply;
            }
            self.repeated += 1;
            self.look();
        }
        panic!("a request was repeated a thousand times, and never acknowledged");
    }

    fn next_key(&mut self) -> String {
        self.keys += 1;
        format!("client-{}-{}", self.number, self.keys)
    }
}
