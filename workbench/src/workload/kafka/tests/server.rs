//! Random histories of a server of logs.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;

use super::super::*;
use crate::history::{Completion, History, Outcome};
use crate::seeds::Seeds;

/// A fault of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    LosesAcknowledged,
    AppendsTwice,
    OverwritesLast,
    SkipsFirst,
    LeavesOutMiddle,
    Reverses,
    BeginsTooEarly,
    ForgetsCommits,
    NeverShowsLast,
}

/// A right server of logs, unless it has a fault. Its offsets have gaps.
struct Server {
    fault: Fault,
    logs: BTreeMap<String, Vec<(i64, u64)>>,
    committed: Offsets,
}

impl Server {
    fn perform(&mut self, ask: &OfLogs, random: &mut Random) -> Answer {
        let is_time = random.random_bool(0.2);
        let does = |fault| self.fault == fault && is_time;
        match ask {
            OfLogs::Send { key, message } => {
                let log = self.logs.entry(key.clone()).or_default();
                let last = log.last().map_or(-1, |(offset, _)| *offset);
                let offset = last + random.random_range(1..4);
                match self.fault {
                    Fault::LosesAcknowledged if is_time => {}
                    Fault::OverwritesLast if is_time && last >= 0 => {
                        log.pop();
                        log.push((last, *message));
                        return Answer::Integer(last);
                    }
                    Fault::AppendsTwice if is_time => {
                        log.extend([(offset, *message), (offset + 1, *message)]);
                    }
                    _ => log.push((offset, *message)),
                }
                Answer::Integer(offset)
            }
            OfLogs::Poll(from) => {
                let (first, middle, reverse, early) = (
                    does(Fault::SkipsFirst),
                    does(Fault::LeavesOutMiddle),
                    does(Fault::Reverses),
                    does(Fault::BeginsTooEarly),
                );
                let mut shown = Vec::new();
                for (key, from) in from {
                    let from = if early { from - 4 } else { *from };
                    let log = self.logs.get(key).map(Vec::as_slice).unwrap_or_default();
                    let there =
                        log.len() - usize::from(self.fault == Fault::NeverShowsLast && !log.is_empty());
                    let known = log.iter().take(there).filter(|(offset, _)| *offset >= from);
                    let most = random.random_range(0..8);
                    let mut pairs: Vec<(i64, u64)> = known.take(most).copied().collect();
                    if (first || middle) && pairs.len() > 2 {
                        pairs.remove(usize::from(middle));
                    }
                    if reverse {
                        pairs.reverse();
                    }
                    let pairs = pairs.iter().map(|(offset, message)| format!("[{offset},{message}]"));
                    let list = pairs.collect::<Vec<_>>().join(",");
                    shown.push((key.clone(), Json::parse(&format!("[{list}]")).unwrap()));
                }
                Answer::Json(Json::object(shown))
            }
            OfLogs::Commit(offsets) => {
                for (key, offset) in offsets {
                    let known = self.committed.entry(key.clone()).or_insert(*offset);
                    *known = (*known).max(*offset);
                }
                Answer::Done
            }
            OfLogs::List(keys) => {
                let known = keys.iter().filter_map(|key| Some((key.clone(), *self.committed.get(key)?)));
                let forgets = does(Fault::ForgetsCommits);
                Answer::Json(Json::object(
                    known.filter(|_| !forgets).map(|(key, offset)| (key, Json::from(offset))),
                ))
            }
        }
    }
}

/// An operation under way, and its answer once it took effect.
struct Open {
    number: usize,
    ask: OfLogs,
    answer: Option<Answer>,
}

/// Concurrent clients of one server. Some of their operations end without an answer, or are refused.
pub(super) struct World {
    server: Server,
    requests: Mix,
    random: Random,
    history: History,
    open: BTreeMap<usize, Open>,
    processes: BTreeMap<usize, u64>,
}

impl World {
    fn now(&self) -> Duration {
        Duration::from_millis(self.history.moments().len() as u64)
    }

    fn begin(&mut self, client: usize, request: Request, is_final: bool) {
        let ask = request.get::<OfLogs>().unwrap().clone();
        let process = *self.processes.entry(client).or_insert(client as u64);
        let (invoked, node) = (self.now(), client % 3);
        let number = self.history.invoke(Operation {
            process,
            worker: client,
            node,
            incarnation: 1,
            request,
            is_final,
            invoked,
            completion: None,
        });
        self.open.insert(client, Open { number, ask, answer: None });
    }

    /// The operation takes effect, or it ends.
    fn go_on(&mut self, client: usize) {
        let Some(mut open) = self.open.remove(&client) else { return };
        let lucky = self.random.random_range(0..20);
        let outcome = match (open.answer.take(), lucky) {
            (None, 0) => Outcome::Refused { code: 11, definite: true, text: "no".into() },
            (None, _) => {
                open.answer = Some(self.server.perform(&open.ask, &mut self.random));
                self.open.insert(client, open);
                return;
            }
            (Some(_), 0) => Outcome::Timeout,
            (Some(answer), _) => Outcome::Ok(answer),
        };
        if !matches!(outcome, Outcome::Ok(_)) {
            *self.processes.get_mut(&client).unwrap() += 100;
        }
        let at = self.now();
        self.history.complete(open.number, Completion { at, incarnation: 1, outcome });
        self.requests.ended(&self.history.operations()[open.number]);
    }

    pub(super) fn run(seed: u64, fault: Fault) -> History {
        let server = Server { fault, logs: BTreeMap::new(), committed: Offsets::new() };
        let mut world = Self {
            server,
            requests: Mix::default(),
            random: Seeds::new(seed).generator(),
            history: History::default(),
            open: BTreeMap::new(),
            processes: BTreeMap::new(),
        };
        for _ in 0..600 {
            let client = world.random.random_range(0..5);
            if world.open.contains_key(&client) {
                world.go_on(client);
            } else {
                let request = world.requests.next(client, &mut world.random);
                world.begin(client, request, false);
            }
        }
        for client in 0..5 {
            while world.open.contains_key(&client) {
                world.go_on(client);
            }
            let mut rounds = 0..;
            while let Some(request) = world.requests.at_end(client, rounds.next().unwrap()) {
                world.begin(client, request, true);
                while world.open.contains_key(&client) {
                    world.go_on(client);
                }
            }
        }
        world.history
    }
}
