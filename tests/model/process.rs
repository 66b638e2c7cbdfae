//! One process of a node.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use maelstrom_counter::endpoint::Endpoint;
use serde_json::{Value, json};

use crate::generator::Generator;
use crate::message::{Answer, CLIENT, Message, Said, fingerprint, name};
use crate::sabotage::Saboteur;
use crate::setup::Setup;

/// The id of the read that each process gets first.
pub(crate) const FIRST_READ: i64 = 100;
/// The id of a read that changes nothing and is asked in every state.
pub(crate) const PROBE: i64 = 101;
/// A number of ticks that is longer than the longest wait of a request.
const PATIENCE: usize = 20;

/// A process: an endpoint with a clock. A value never changes: each step makes a new one.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) node: u8,
    pub(crate) incarnation: u8,
    pub(crate) ticks: u8,
    /// It has been told to end.
    pub(crate) is_ending: bool,
    /// The counter's value, as this process sees it.
    pub(crate) value: u64,
    /// The last id under which it has asked the store.
    asked: i64,
    endpoint: Endpoint<Generator>,
    now: Duration,
    saboteur: Saboteur,
    pub(crate) fingerprint: u64,
}

/// An input of a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    /// A client's add.
    Add(usize),
    /// A client's read.
    Probe,
    Arrives(Arc<Message>),
    /// The batch is over: the process does what is due.
    Wake,
    /// A quarter of a second passes.
    Tick,
    /// Time passes until an add is answered or given up. No message arrives or leaves.
    Deaf,
    /// SIGTERM.
    Terminate,
    /// The input ends.
    NoMore,
}

/// The result of a step.
pub(crate) struct Outcome {
    /// `None` if the process has ended.
    pub(crate) process: Option<Arc<Process>>,
    pub(crate) sent: Vec<Arc<Message>>,
    pub(crate) answers: Vec<(i64, Answer)>,
    pub(crate) panicked: bool,
}

impl Process {
    /// The first step of an incarnation: it gets `init`, and a client's read.
    pub(crate) fn start(node: u8, incarnation: u8, setup: &Setup) -> Outcome {
        let mut process = Self {
            node,
            incarnation,
            ticks: 0,
            is_ending: false,
            value: 0,
            asked: 0,
            endpoint: Endpoint::new(setup.config(), setup.generator(node, incarnation)),
            now: Duration::ZERO,
            saboteur: Saboteur::new(setup.bug),
            fingerprint: 0,
        };
        let ids: Vec<_> = (0..setup.nodes.0).map(name).collect();
        let init = json!({"type": "init", "msg_id": 1, "node_id": name(node), "node_ids": ids});
        process.hear(&json!({"src": "c0", "dest": name(node), "body": init}).to_string(), setup);
        let said = process.hear(&process.request(FIRST_READ, json!({"type": "read"})), setup);
        let woken = process.wake(setup);
        process.outcome(&[said, woken].concat())
    }

    /// The result of an input. Without batches the process wakes after each input.
    pub(crate) fn step(&self, input: &Input, setup: &Setup) -> Outcome {
        let mut next = self.clone();
        match catch_unwind(AssertUnwindSafe(|| next.handle(input, setup))) {
            Ok(said) => next.outcome(&said),
            Err(_) => Outcome { process: None, sent: Vec::new(), answers: Vec::new(), panicked: true },
        }
    }

    /// Whether the process will ignore every answer to the message `msg_id` of its node, because it has had one or never
    /// asked. Its ids only grow.
    pub(crate) fn ignores(&self, msg_id: i64, setup: &Setup) -> bool {
        let answer = Message::from_store(self.node, msg_id, json!({"type": "error", "code": 20}));
        let outcome = self.step(&Input::Arrives(answer), setup);
        msg_id <= self.asked
            && outcome.process.is_some_and(|process| *process == *self)
            && outcome.sent.is_empty()
            && outcome.answers.is_empty()
    }

    fn handle(&mut self, input: &Input, setup: &Setup) -> Vec<Value> {
        let said = match input {
            Input::Add(add) => {
                let body = json!({"type": "add", "delta": Setup::delta(*add)});
                self.hear(&self.request(i64::try_from(*add).unwrap(), body), setup)
            }
            Input::Probe => self.hear(&self.request(PROBE, json!({"type": "read"})), setup),
            Input::Arrives(message) => self.hear(&message.line, setup),
            Input::Wake => return self.wake(setup),
            Input::Tick => {
                self.ticks += 1;
                self.now += Setup::TICK;
                return self.wake(setup);
            }
            Input::Deaf => return self.wait_unheard(setup),
            Input::Terminate => {
                self.is_ending = true;
                let said = self.run(setup, Endpoint::terminate);
                return [said, self.wake(setup)].concat();
            }
            Input::NoMore => {
                return self.run(setup, Endpoint::input_closed);
            }
        };
        if setup.batches {
            return said;
        }
        [said, self.wake(setup)].concat()
    }

    fn wait_unheard(&mut self, setup: &Setup) -> Vec<Value> {
        let mut answers = Vec::new();
        for _ in 0..PATIENCE {
            self.now += Setup::TICK;
            let said = self.wake(setup);
            answers.extend(said.into_iter().filter(|message| message["dest"] == CLIENT));
            if answers.iter().any(|answer| answer["body"]["in_reply_to"] != FIRST_READ) {
                break;
            }
        }
        answers
    }

    fn request(&self, id: i64, mut body: Value) -> String {
        body["msg_id"] = json!(id);
        json!({"src": CLIENT, "dest": name(self.node), "body": body}).to_string()
    }

    fn hear(&mut self, line: &str, setup: &Setup) -> Vec<Value> {
        let lines = self.saboteur.hear(line);
        lines.iter().flat_map(|line| self.receive(line, setup)).collect()
    }

    fn receive(&mut self, line: &str, setup: &Setup) -> Vec<Value> {
        let said = self.run(setup, |endpoint, now, out| endpoint.receive(now, line.as_bytes(), out));
        self.endpoint.looked(self.now, 0);
        said
    }

    fn wake(&mut self, setup: &Setup) -> Vec<Value> {
        self.endpoint.looked(self.now, 0);
        self.run(setup, Endpoint::wake)
    }

    /// Lets the endpoint do something, and the saboteur spoil its messages.
    fn run(
        &mut self,
        setup: &Setup,
        what: impl FnOnce(&mut Endpoint<Generator>, Duration, &mut Vec<u8>),
    ) -> Vec<Value> {
        let mut out = Vec::new();
        what(&mut self.endpoint, self.now, &mut out);
        self.endpoint.written();
        let mut said = Vec::new();
        for line in out.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let message: Value = serde_json::from_slice(line).unwrap();
            if let Some(answer) = self.names_told(&message, setup) {
                said.extend(self.receive(&answer, setup));
                continue;
            }
            let (messages, aside) = self.saboteur.say(message);
            said.extend(messages);
            said.extend(aside.into_iter().flat_map(|line| self.receive(&line, setup)));
        }
        said
    }

    /// The store's answer to a request about the list of all nodes, if it is one. All are on the list, and it is answered at
    /// once. The test `it::names` has what can go wrong there. Here it would only multiply the states.
    fn names_told(&self, message: &Value, setup: &Setup) -> Option<String> {
        let body = &message["body"];
        if body["key"] != "/nodes" || self.endpoint.is_done() {
            return None;
        }
        let all: Vec<_> = (0..setup.nodes.0).map(name).collect();
        let answer = match body["type"].as_str() {
            Some("cas") => json!({"type": "cas_ok"}),
            _ => json!({"type": "read_ok", "value": all}),
        };
        Some(Message::from_store(self.node, body["msg_id"].as_i64().expect("an id"), answer).line.clone())
    }

    fn outcome(mut self, said: &[Value]) -> Outcome {
        let (mut sent, mut answers) = (Vec::new(), Vec::new());
        for message in said.iter().filter(|message| message["dest"] != "c0") {
            match Said::read(self.node, message) {
                Said::ToClient(request, answer) => answers.push((request, answer)),
                Said::OnTheWay(message) => sent.push(message),
            }
        }
        for (_, id, _) in sent.iter().filter_map(|message| message.asked()) {
            assert!(id > self.asked, "the store is asked under an id that has been used");
            self.asked = id;
        }
        self.value = u64::try_from(self.endpoint.node().value()).unwrap();
        let whole = (self.node, self.incarnation, self.ticks, self.is_ending, self.now);
        self.fingerprint = fingerprint(&(whole, format!("{:?}{:?}", self.endpoint, self.saboteur)));
        let process = (!self.endpoint.is_done()).then(|| Arc::new(self));
        Outcome { process, sent, answers, panicked: false }
    }
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Process {}

impl Hash for Process {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.fingerprint.hash(hasher);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} at {:?} with {:o}", name(self.node), self.incarnation, self.now, self.value)
    }
}
