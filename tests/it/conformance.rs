//! The replica's suite for stores, on the adapter for `seq-kv` and the bench's service of that name: with its stale
//! answers, and with messages that are lost, doubled and late.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use maelstrom_counter::codec::{decode, encode};
use maelstrom_counter::message::{Body, Message, Outgoing};
use maelstrom_counter::msg_ids::MsgIds;
use maelstrom_counter::seq_kv::{STORE, SeqKv};
use maelstrom_counter::stall_detector::StallDetector;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::store::conformance::{NODES, Subject, check};
use replica::store::{Outcome, StoreRequest, Token};
use replica::{NodeId, Rows};
use serde_json::{Value, json};

use crate::harness::ms;

/// What the network does to the messages.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// How many of all messages are lost.
    loss: f64,
    /// How many are delivered twice, the second time late.
    doubled: f64,
}

/// The adapter, the service, and the messages between them.
struct Maelstrom {
    service: workbench::SeqKv,
    rng: SmallRng,
    weather: Weather,
    now: Duration,
    processes: u64,
    /// Requests that will be delivered once more: who sent them, and what they say.
    late: VecDeque<(NodeId, String)>,
}

struct Process {
    node: NodeId,
    adapter: SeqKv,
    tokens: u64,
}

impl Maelstrom {
    fn new(seed: u64, weather: Weather) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        let service = workbench::SeqKv::new(seed);
        Self { service, rng, weather, now: Duration::ZERO, processes: 0, late: VecDeque::new() }
    }

    fn roster() -> BTreeSet<NodeId> {
        NODES.map(NodeId::from).into()
    }

    fn process(&mut self, node: &NodeId, roster: BTreeSet<NodeId>) -> Process {
        self.processes += 1;
        let incarnation = format!("{:08x}", self.processes).parse().unwrap();
        let ids = MsgIds::random(&mut self.rng);
        let adapter = SeqKv::new((node.clone(), roster), incarnation, ms(1000), ids);
        Process { node: node.clone(), adapter, tokens: 0 }
    }

    /// Sends what the adapter wants sent, and gives it the answers that come through.
    fn exchange(&mut self, process: &mut Process) {
        while let Some((msg_id, say)) = process.adapter.poll_message() {
            let mut line = Vec::new();
            encode(process.node.as_str(), &Outgoing::request(STORE, msg_id, say), &mut line);
            let line: Value = serde_json::from_slice(&line).unwrap();
            let body = line["body"].to_string();
            if self.rng.random_bool(self.weather.doubled) {
                self.late.push_back((process.node.clone(), body.clone()));
            }
            if self.rng.random_bool(self.weather.loss) {
                continue;
            }
            let answer = self.service.handle(process.node.as_str(), &body);
            let answer: Value =
                serde_json::from_str(&answer.expect("the service knows the request")).unwrap();
            let copies = 1 + usize::from(self.rng.random_bool(self.weather.doubled));
            if !self.rng.random_bool(self.weather.loss) {
                (0..copies).for_each(|_| self.answer(process, &answer));
            }
        }
    }

    fn answer(&self, process: &mut Process, body: &Value) {
        let line = json!({"src": STORE, "dest": process.node.as_str(), "body": body}).to_string();
        let known = Rows::default();
        let Ok(Message { body: Body::Reply(msg_id, reply), .. }) = decode(line.as_bytes(), &known) else {
            panic!("{line} is no reply");
        };
        process.adapter.reply(msg_id, &reply, self.now, &StallDetector::new(self.now));
    }
}

impl Subject for Maelstrom {
    type Process = Process;

    fn start(&mut self, node: &NodeId) -> Process {
        self.process(node, Self::roster())
    }

    fn run(&mut self, process: &mut Process, request: StoreRequest) -> Outcome {
        if let Some((node, body)) = self.late.pop_front_if(|_| self.rng.random_bool(0.5)) {
            self.service.handle(node.as_str(), &body);
        }
        process.tokens += 1;
        let token = Token(process.tokens);
        process.adapter.request(token, request, self.now);
        loop {
            self.exchange(process);
            if let Some((of, outcome)) = process.adapter.poll_outcome() {
                assert_eq!(of, token);
                return outcome;
            }
            let wake = process
                .adapter
                .next_tick(&StallDetector::new(self.now))
                .expect("the adapter waits for something");
            self.now = self.now.max(wake);
            process.adapter.tick(self.now, self.now);
        }
    }

    fn loses_outcomes(&self) -> bool {
        self.weather.loss > 0.0
    }

    fn plant_foreign(&mut self, node: &NodeId) -> bool {
        let write =
            json!({"type": "write", "key": node.as_str(), "value": {"somebody": "else's"}, "msg_id": 1});
        self.service.handle(node.as_str(), &write.to_string()).is_some()
    }
}

#[test]
fn the_adapter_conforms_on_a_store_with_stale_answers() {
    for seed in 0..20 {
        assert_eq!(check(|| Maelstrom::new(seed, Weather::default())), Ok(()), "seed {seed}");
    }
}

#[test]
fn the_adapter_conforms_while_messages_are_lost_doubled_and_late() {
    for seed in 0..20 {
        let weather = Weather { loss: 0.2, doubled: 0.2 };
        assert_eq!(check(|| Maelstrom::new(seed, weather)), Ok(()), "seed {seed}");
    }
}

/// The adapter, but a fence is not sent.
struct Unfenced(Maelstrom);

impl Subject for Unfenced {
    type Process = Process;

    fn start(&mut self, node: &NodeId) -> Process {
        self.0.start(node)
    }

    fn run(&mut self, process: &mut Process, request: StoreRequest) -> Outcome {
        if request == StoreRequest::Fence { Outcome::Fenced } else { self.0.run(process, request) }
    }
}

#[test]
fn without_its_barrier_the_adapter_does_not_conform() {
    let failure = check(|| Unfenced(Maelstrom::new(1, Weather::default()))).unwrap_err();
    assert_eq!(
        failure.rule(),
        "A load behind a fence must bring what was committed before the fence.",
        "{failure}"
    );
}

#[test]
fn the_names_of_all_rosters_add_up() {
    let mut store = Maelstrom::new(1, Weather::default());
    let [n0, n1, n2] = NODES.map(NodeId::from);
    let mut old = store.process(&n0, [n0.clone(), n1.clone()].into());
    let mut new = store.process(&n2, [n1.clone(), n2.clone()].into());
    let names = |store: &mut Maelstrom, process: &mut Process| {
        store.run(process, StoreRequest::Fence);
        store.run(process, StoreRequest::Nodes)
    };
    assert_eq!(names(&mut store, &mut old), Outcome::Nodes(vec![n0.clone(), n1.clone()]));
    let all = Outcome::Nodes(vec![n0, n1, n2]);
    assert_eq!(names(&mut store, &mut new), all);
    assert_eq!(names(&mut store, &mut old), all);
}

#[test]
fn what_is_no_list_of_names_is_left_alone() {
    let mut store = Maelstrom::new(1, Weather::default());
    let mut process = store.start(&NodeId::from("n0"));
    let write = json!({"type": "write", "key": "/nodes", "value": {"n0": 3}, "msg_id": 1});
    store.service.handle("n0", &write.to_string());
    assert_eq!(store.run(&mut process, StoreRequest::Nodes), Outcome::NotDone);
    let read = json!({"type": "read", "key": "/nodes", "msg_id": 2}).to_string();
    assert!(store.service.handle("n0", &read).unwrap().contains("{\"n0\":3}"));
}
