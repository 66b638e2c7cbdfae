//! One process of a node.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use maelstrom_counter::endpoint::Endpoint;
use serde_json::{Value, json};

use crate::life::Life;
use crate::message::{Answer, CLIENT, Message, Said, fingerprint, name};
use crate::sabotage::Saboteur;
use crate::setup::Setup;

/// The read that a client has asked since the process began.
pub(crate) const FIRST_READ: i64 = 100;
/// A read that changes nothing and is asked in every state.
pub(crate) const PROBE: i64 = 101;
/// More heartbeats than the longest a request may wait.
const PATIENCE: usize = 20;

/// A process: an endpoint with a clock. It never changes; what it does makes another one.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) node: u8,
    pub(crate) life: u8,
    pub(crate) ticks: u8,
    /// It has been told to end.
    pub(crate) is_ending: bool,
    /// What it holds, in sum.
    pub(crate) value: u64,
    /// The last id under which it has asked the store.
    asked: i64,
    endpoint: Endpoint<Life>,
    now: Duration,
    saboteur: Saboteur,
    pub(crate) fingerprint: u64,
}

/// What can happen to a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    /// A client's add.
    Add(usize),
    /// A client's read.
    Probe,
    Arrives(Arc<Message>),
    /// What is due is done now, for the batch is over.
    Wake,
    /// A quarter of a second passes.
    Tick,
    /// Time passes until an add has been answered, or would have been given up. No message comes or leaves.
    Deaf,
    /// SIGTERM.
    Terminate,
    /// The input ends.
    NoMore,
}

/// What comes of it.
pub(crate) struct Outcome {
    /// `None`: it has ended.
    pub(crate) process: Option<Arc<Process>>,
    pub(crate) sent: Vec<Arc<Message>>,
    pub(crate) answers: Vec<(i64, Answer)>,
    pub(crate) panicked: bool,
}

impl Process {
    /// The first step of a life: it hears `init`, and a client's read.
    pub(crate) fn start(node: u8, life: u8, setup: &Setup) -> Outcome {
        let mut process = Self {
            node,
            life,
            ticks: 0,
            is_ending: false,
            value: 0,
            asked: 0,
            endpoint: Endpoint::new(setup.config(), setup.life(node, life)),
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

    /// What comes of an input. Without batches the process wakes after each.
    pub(crate) fn step(&self, input: &Input, setup: &Setup) -> Outcome {
        let mut next = self.clone();
        match catch_unwind(AssertUnwindSafe(|| next.take(input, setup))) {
            Ok(said) => next.outcome(&said),
            Err(_) => Outcome { process: None, sent: Vec::new(), answers: Vec::new(), panicked: true },
        }
    }

    /// No answer to the message `msg_id` of this node's will ever be taken: the process has had it, or never asked.
    /// Its ids only grow.
    pub(crate) fn ignores(&self, msg_id: i64, setup: &Setup) -> bool {
        let answer = Message::from_store(self.node, msg_id, json!({"type": "error", "code": 20}));
        let outcome = self.step(&Input::Arrives(answer), setup);
        msg_id <= self.asked
            && outcome.process.is_some_and(|process| *process == *self)
            && outcome.sent.is_empty()
            && outcome.answers.is_empty()
    }

    fn take(&mut self, input: &Input, setup: &Setup) -> Vec<Value> {
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

    /// Lets the endpoint do something, and the saboteur spoil what it says.
    fn run(
        &mut self,
        setup: &Setup,
        what: impl FnOnce(&mut Endpoint<Life>, Duration, &mut Vec<u8>),
    ) -> Vec<Value> {
        let mut out = Vec::new();
        what(&mut self.endpoint, self.now, &mut out);
        self.endpoint.written();
        let mut said = Vec::new();
        for line in out.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let (messages, aside) = self.saboteur.say(serde_json::from_slice(line).unwrap());
            said.extend(messages);
            said.extend(aside.into_iter().flat_map(|line| self.receive(&line, setup)));
        }
        said
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
        let whole = (self.node, self.life, self.ticks, self.is_ending, self.now);
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
        write!(f, "{}/{} at {:?} with {:o}", name(self.node), self.life, self.now, self.value)
    }
}
