//! The workloads other than counters.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use workbench::{Broadcast, Check, Echo, Fault, GSet, Machine, Plan, Report, UniqueIds, Workload, simulate};

const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    Nothing,
    Mishears,
    RepeatsIds,
    LosesElements,
    NeverGossips,
    ShowsTwice,
    Invents,
    IgnoresTopology,
}

/// Echoes, counts ids up, and gossips all elements that it knows to all other nodes.
struct Node {
    bug: Bug,
    name: String,
    peers: Vec<String>,
    elements: BTreeSet<u64>,
    requests: u64,
    gossip_at: Option<Duration>,
}

impl Node {
    fn answer(&mut self, body: &Map<String, Value>) -> Option<Value> {
        self.requests += 1;
        let is_tenth = self.requests.is_multiple_of(10);
        Some(match body["type"].as_str()? {
            "init" => {
                self.name = body["node_id"].as_str()?.into();
                let ids = body["node_ids"].as_array()?.iter().filter_map(Value::as_str);
                self.peers = ids.filter(|id| *id != self.name).map(str::to_owned).collect();
                json!({"type": "init_ok"})
            }
            "topology" if self.bug == Bug::IgnoresTopology => return None,
            "topology" => json!({"type": "topology_ok"}),
            "echo" if is_tenth && self.bug == Bug::Mishears => json!({"type": "echo_ok", "echo": "pardon?"}),
            "echo" => json!({"type": "echo_ok", "echo": body["echo"]}),
            "generate" if self.bug == Bug::RepeatsIds => json!({"type": "generate_ok", "id": self.requests}),
            "generate" => json!({"type": "generate_ok", "id": [self.name, self.requests]}),
            "broadcast" => {
                self.insert(&body["message"]);
                json!({"type": "broadcast_ok"})
            }
            "add" => {
                self.insert(&body["element"]);
                json!({"type": "add_ok"})
            }
            "read" => json!({"type": "read_ok", "value": self.shown()}),
            "read_messages" => json!({"type": "read_ok", "messages": self.shown()}),
            _ => {
                let elements = body["elements"].as_array()?.iter().filter_map(Value::as_u64);
                self.elements.extend(elements);
                return None;
            }
        })
    }

    fn insert(&mut self, element: &Value) {
        let is_lost = self.bug == Bug::LosesElements && self.requests.is_multiple_of(10);
        self.elements.extend(element.as_u64().filter(|_| !is_lost));
    }

    fn shown(&self) -> Vec<u64> {
        let mut shown: Vec<u64> = self.elements.iter().copied().collect();
        match self.bug {
            Bug::ShowsTwice => shown.extend(shown.first().copied()),
            Bug::Invents => shown.push(1_000_000),
            _ => {}
        }
        shown
    }
}

impl Machine for Node {
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let mut body = message["body"].as_object().unwrap().clone();
        self.gossip_at.get_or_insert(now + INTERVAL);
        if self.peers.first().is_some_and(|_| body["type"] == "read") && IS_BROADCAST.get() {
            body.insert("type".into(), "read_messages".into());
        }
        if let Some(mut answer) = self.answer(&body) {
            answer["in_reply_to"] = body["msg_id"].clone();
            let line = json!({"src": self.name, "dest": message["src"], "body": answer}).to_string();
            out.extend(format!("{line}\n").into_bytes());
        }
    }

    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.gossip_at = Some(now + INTERVAL);
        if self.bug == Bug::NeverGossips {
            return;
        }
        for peer in &self.peers {
            let body = json!({"type": "gossip", "elements": self.elements});
            out.extend(format!("{}\n", json!({"src": self.name, "dest": peer, "body": body})).into_bytes());
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        self.gossip_at
    }
}

std::thread_local! {
    /// The two workloads with sets ask for them in the same words and want them under different names.
    static IS_BROADCAST: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

const ALL: [&dyn Workload; 4] = [&Echo, &UniqueIds, &Broadcast, &GSet];

fn run(workload: &'static dyn Workload, bug: Bug) -> Report {
    run_under(&[Fault::Partition], workload, bug)
}

fn run_under(faults: &[Fault], workload: &'static dyn Workload, bug: Bug) -> Report {
    IS_BROADCAST.set(workload.name() == "broadcast");
    let plan = Plan {
        nemesis: faults.iter().copied().collect(),
        time_limit: Duration::from_secs(5),
        rate: 50.0,
        ..Plan::new(workload, 3)
    };
    let mut start = |_: Duration, _: usize, _: u64| {
        let (name, peers, elements) = (String::new(), Vec::new(), BTreeSet::new());
        Box::new(Node { bug, name, peers, elements, requests: 0, gossip_at: None }) as Box<dyn Machine>
    };
    simulate(&plan, &mut start)
}

#[test]
fn good_nodes_are_valid() {
    for workload in ALL {
        let report = run(workload, Bug::Nothing);
        assert!(report.valid && report.operations.count > 150, "{workload:?}\n{report}");
    }
}

/// Gossip goes around every 200 ms.
#[test]
fn how_soon_elements_are_everywhere_is_told() {
    let report = run_under(&[], &Broadcast, Bug::Nothing);
    assert!(report.to_string().contains("stable      in all reads after ms: median "), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    let (elements, stable) = (&json["figures"]["elements"], &json["figures"]["stable"]);
    assert!(elements["stable"] == elements["attempts"] && elements["lost"] == 0, "{report}");
    assert!(elements["stale"].as_u64() > Some(10), "{report}");
    let seconds = |percentile: &str| stable[percentile].as_f64().unwrap();
    assert!(seconds("p50") < seconds("max") && (0.1..=0.2).contains(&seconds("max")), "{report}");
    let cut = run(&Broadcast, Bug::Nothing);
    assert!(cut.figures[1].value["max"].as_f64() > Some(1.0), "{cut}");
    let silent = run(&Broadcast, Bug::NeverGossips);
    assert!(silent.figures[0].value["lost"].as_u64() > Some(10), "{silent}");
}

#[test]
fn each_bug_is_caught_by_its_check() {
    let cases: [(&dyn Workload, Bug, Check); 9] = [
        (&Echo, Bug::Mishears, Check::Answers),
        (&UniqueIds, Bug::RepeatsIds, Check::Answers),
        (&Broadcast, Bug::LosesElements, Check::FinalReads),
        (&GSet, Bug::LosesElements, Check::FinalReads),
        (&Broadcast, Bug::NeverGossips, Check::FinalReads),
        (&GSet, Bug::NeverGossips, Check::Agreement),
        (&GSet, Bug::ShowsTwice, Check::Answers),
        (&Broadcast, Bug::Invents, Check::ImpossibleReads),
        (&Broadcast, Bug::IgnoresTopology, Check::Init),
    ];
    for (workload, bug, check) in cases {
        let report = run(workload, bug);
        assert!(report.violations.counts().contains_key(&check), "{workload:?} {bug:?}\n{report}");
    }
}

#[test]
fn every_history_can_be_written() {
    for workload in ALL {
        let report = run(workload, Bug::Nothing);
        let mut lines = Vec::new();
        report.history.write_jsonl(&mut lines).unwrap();
        assert!(lines.len() > 10_000, "{workload:?}");
        assert!(report.to_html().contains("</html>"));
    }
}
