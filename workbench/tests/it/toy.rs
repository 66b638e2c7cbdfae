//! A small counter node: gossips its whole vector, and can be given a bug.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use workbench::Machine;

/// How often it gossips.
const INTERVAL: Duration = Duration::from_millis(200);
/// How many rounds without news it still gossips, for a partition may have cut off its messages.
const QUIET_AFTER: u32 = 40;

/// A bug of the toy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    Nothing,
    /// Acknowledges every tenth add without counting it.
    LosesAdds,
    /// Counts every tenth add twice.
    CountsTwice,
    /// Answers every tenth add 5.5 s late.
    AnswersLate,
    /// Gossips to a node that does not exist.
    GossipsToStrangers,
    /// Answers 0 to every read.
    AnswersZero,
    /// Every tenth read shows an older value.
    GoesBack,
    /// Adds a field to `read_ok`.
    SaysTooMuch,
    /// Prints a greeting.
    Chats,
    /// Answers every tenth add twice.
    AnswersTwice,
    /// Refuses every tenth add with a definite error, and counts it.
    RefusesAndCounts,
    /// Shows only its own count, never those of others.
    NeverGossips,
    /// Never answers `init`.
    IgnoresInit,
    /// Ends after 50 requests.
    Exits,
    /// Signs every gossip with its peer's name.
    Forges,
    /// Does not answer reads after 50 requests.
    StopsReading,
    /// Keeps asking to be woken at once.
    Spins,
    /// Adds 1000 to what it reads.
    Invents,
    /// Gossips although nothing is new.
    NeverSilent,
    /// Answers malformed requests with the wrong error.
    MixesUpCodes,
    /// Does not answer malformed requests.
    IgnoresGarbage,
    /// Does not end when asked to.
    IgnoresTerm,
}

impl Bug {
    const ALL: [Self; 22] = [
        Self::Nothing,
        Self::LosesAdds,
        Self::CountsTwice,
        Self::AnswersLate,
        Self::GossipsToStrangers,
        Self::AnswersZero,
        Self::GoesBack,
        Self::SaysTooMuch,
        Self::Chats,
        Self::AnswersTwice,
        Self::RefusesAndCounts,
        Self::NeverGossips,
        Self::IgnoresInit,
        Self::Exits,
        Self::Forges,
        Self::StopsReading,
        Self::Spins,
        Self::Invents,
        Self::NeverSilent,
        Self::MixesUpCodes,
        Self::IgnoresGarbage,
        Self::IgnoresTerm,
    ];

    /// The bug of that name.
    #[allow(dead_code, reason = "one of the two programs that hold this module needs it")]
    pub(crate) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|bug| format!("{bug:?}") == name).unwrap()
    }
}

/// The node.
pub(crate) struct Toy {
    bug: Bug,
    name: String,
    peers: Vec<String>,
    counts: BTreeMap<String, i64>,
    is_dirty: bool,
    quiet_rounds: u32,
    is_over: bool,
    requests: u64,
    reads: Vec<i64>,
    late: Vec<(Duration, String)>,
    gossip_at: Option<Duration>,
}

impl Toy {
    pub(crate) fn new(bug: Bug) -> Self {
        Self {
            bug,
            name: String::new(),
            peers: Vec::new(),
            counts: BTreeMap::new(),
            is_dirty: false,
            quiet_rounds: 0,
            is_over: false,
            requests: 0,
            reads: Vec::new(),
            late: Vec::new(),
            gossip_at: None,
        }
    }

    /// How many requests it has received.
    #[allow(dead_code, reason = "one of the two programs that hold this module needs it")]
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// A factory of nodes with that bug.
    #[allow(dead_code, reason = "one of the two programs that hold this module needs it")]
    pub(crate) fn factory(bug: Bug) -> impl FnMut(Duration, usize, u64) -> Box<dyn Machine> {
        move |_, _, _| Box::new(Self::new(bug))
    }

    fn every_tenth(&self, bug: Bug) -> bool {
        self.bug == bug && self.requests.is_multiple_of(10)
    }

    fn say(&self, dest: &str, body: &Value, out: &mut Vec<u8>) {
        out.extend(json!({"src": self.name, "dest": dest, "body": body}).to_string().into_bytes());
        out.push(b'\n');
    }

    /// An error to a request that can be answered, silence to others.
    fn refuse(&self, dest: &str, code: u64, id: &Value, out: &mut Vec<u8>) {
        let code = if self.bug == Bug::MixesUpCodes { 13 } else { code };
        if id.is_u64() && self.bug != Bug::IgnoresGarbage {
            self.say(dest, &json!({"type": "error", "in_reply_to": id, "code": code, "text": "no"}), out);
        }
    }

    fn init(&mut self, body: &Map<String, Value>) {
        self.name = body["node_id"].as_str().unwrap().into();
        let ids = body["node_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        self.peers = ids.filter(|id| *id != self.name).collect();
    }

    fn add(&mut self, now: Duration, dest: &str, delta: i64, id: &Value, out: &mut Vec<u8>) {
        let times = match self.bug {
            Bug::LosesAdds if self.every_tenth(Bug::LosesAdds) => 0,
            Bug::CountsTwice if self.every_tenth(Bug::CountsTwice) => 2,
            _ => 1,
        };
        *self.counts.entry(self.name.clone()).or_default() += delta * times;
        self.is_dirty = true;
        let ok = json!({"type": "add_ok", "in_reply_to": id});
        if self.every_tenth(Bug::AnswersLate) {
            let line = json!({"src": self.name, "dest": dest, "body": ok}).to_string();
            self.late.push((now + Duration::from_millis(5500), line));
            return;
        }
        if self.every_tenth(Bug::RefusesAndCounts) {
            let no = json!({"type": "error", "in_reply_to": id, "code": 11, "text": "not now"});
            return self.say(dest, &no, out);
        }
        self.say(dest, &ok, out);
        if self.every_tenth(Bug::AnswersTwice) {
            self.say(dest, &ok, out);
        }
    }

    fn read(&mut self, dest: &str, id: &Value, out: &mut Vec<u8>) {
        if self.bug == Bug::StopsReading && self.requests > 50 {
            return;
        }
        let mut value = self.counts.values().sum();
        self.reads.push(value);
        match self.bug {
            Bug::AnswersZero => value = 0,
            Bug::Invents => value += 1000,
            Bug::GoesBack if self.every_tenth(Bug::GoesBack) => value = self.reads[self.reads.len() / 2],
            _ => {}
        }
        let mut body = json!({"type": "read_ok", "in_reply_to": id, "value": value});
        if self.bug == Bug::SaysTooMuch {
            body["mood"] = json!("good");
        }
        self.say(dest, &body, out);
    }

    fn gossip(&mut self, out: &mut Vec<u8>) {
        if self.bug == Bug::NeverGossips {
            return;
        }
        self.quiet_rounds = if self.is_dirty { 0 } else { self.quiet_rounds + 1 };
        self.is_dirty = false;
        if self.quiet_rounds > QUIET_AFTER && self.bug != Bug::NeverSilent {
            return;
        }
        let body = json!({"type": "gossip", "counts": self.counts});
        for peer in &self.peers {
            let src = if self.bug == Bug::Forges { peer } else { &self.name };
            out.extend(json!({"src": src, "dest": peer, "body": body}).to_string().into_bytes());
            out.push(b'\n');
        }
        if self.bug == Bug::GossipsToStrangers {
            self.say("n99", &body, out);
        }
    }

    fn merge(&mut self, body: &Map<String, Value>) {
        for (name, count) in body["counts"].as_object().unwrap() {
            let mine = self.counts.entry(name.clone()).or_default();
            let count = count.as_i64().unwrap();
            self.is_dirty |= count > *mine;
            *mine = count.max(*mine);
        }
    }
}

impl Machine for Toy {
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { return };
        let (Some(src), Some(body)) = (message["src"].as_str(), message["body"].as_object()) else { return };
        let (id, kind) = (&message["body"]["msg_id"], body.get("type").and_then(Value::as_str));
        let Some(kind) = kind else { return self.refuse(src, 12, id, out) };
        match kind {
            "add" | "read" if !id.is_u64() => {}
            "add" if body.get("delta").and_then(Value::as_i64).is_none_or(|delta| delta < 0) => {
                self.refuse(src, 12, id, out);
            }
            "init" if self.bug == Bug::IgnoresInit => {}
            "init" => {
                self.init(body);
                self.gossip_at = Some(now + INTERVAL);
                if self.bug == Bug::Chats {
                    out.extend(b"Hello!\n");
                }
                self.say(src, &json!({"type": "init_ok", "in_reply_to": id}), out);
            }
            "add" => {
                self.requests += 1;
                self.add(now, src, body["delta"].as_i64().unwrap(), id, out);
            }
            "read" => {
                self.requests += 1;
                self.read(src, id, out);
            }
            "gossip" => self.merge(body),
            _ => self.refuse(src, 10, id, out),
        }
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        let (due, late) = self.late.drain(..).partition(|(at, _)| *at <= now);
        self.late = late;
        let due: Vec<(Duration, String)> = due;
        for (_, line) in due {
            out.extend(format!("{line}\n").into_bytes());
        }
        if self.gossip_at.is_some_and(|at| at <= now) {
            self.gossip(out);
            self.gossip_at = Some(now + INTERVAL);
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        if self.bug == Bug::Spins && self.requests > 10 {
            return Some(Duration::ZERO);
        }
        self.late.iter().map(|(at, _)| *at).chain(self.gossip_at).min()
    }

    fn terminate(&mut self, _: Duration, out: &mut Vec<u8>) {
        self.gossip(out);
        self.is_over = self.bug != Bug::IgnoresTerm;
    }

    fn has_exited(&self) -> bool {
        self.is_over || self.bug == Bug::Exits && self.requests > 50
    }
}
