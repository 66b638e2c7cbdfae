//! A cluster around one node, `n0`. The test plays the store, the peers and the clients, and checks every message of the
//! node. The cluster outlives the node's processes.
//!
//! Every add has its own digit of the counter, in base 4. So each value tells which adds it holds, and how often.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What is wrong with the node.
pub(crate) type Violation = String;

/// An incarnation of the node, as seen from its pipes.
pub(crate) trait Incarnation {
    /// Writes a line to its input. The line is lost once the process has ended.
    fn tell(&mut self, line: &str);
    /// The next line of its output. `None` if the process has ended, or writes nothing for long.
    fn hear(&mut self) -> Option<Value>;
    fn tell_all(&mut self, lines: &[String]) {
        for line in lines {
            self.tell(line);
        }
    }
    fn terminate(&mut self);
    fn close_input(&mut self);
    /// Whether it has ended, by itself and without an error.
    fn has_ended_well(&mut self) -> bool;
}

/// A client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Init,
    /// The next add.
    Add,
    Read,
}

/// What is known of an add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It may be counted or not.
    Unknown,
    Acknowledged,
    /// Refused by a definite error: it is not counted, and will not be.
    Refused,
}

#[derive(Debug)]
struct Asked {
    incarnation: usize,
    op: Op,
    /// Which add it is.
    add: usize,
    /// The node's adds that had been acknowledged when this was asked.
    acknowledged: Vec<usize>,
    is_answered: bool,
}

/// The cluster without the node.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Vec<String>,
    pub(crate) store: Store,
    peers: BTreeMap<String, Peer>,
    asked: BTreeMap<i64, Asked>,
    pub(crate) adds: Vec<Fate>,
    /// Whether several processes run as `n0` at once.
    has_rivals: bool,
    /// The values of the reads, by their ids.
    reads: BTreeMap<i64, u64>,
}

/// The error codes that are definite.
const DEFINITE: [i64; 4] = [10, 11, 12, 14];

impl Cluster {
    /// `n0` and its peers. Each peer has counted one add of its own, and stored it.
    pub(crate) fn new(nodes: usize) -> Self {
        let nodes: Vec<String> = (0..nodes).map(|i| format!("n{i}")).collect();
        let mut store = Store::default();
        let mut peers = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate().skip(1) {
            let held: BTreeMap<_, _> = [(format!("{node}#0000000{i}"), digit(i - 1))].into();
            store.values.insert(node.clone(), json!(held));
            peers.insert(node.clone(), Peer { epoch: format!("0000000{i}"), held, said: 0 });
        }
        let adds = vec![Fate::Acknowledged; peers.len()];
        Self { nodes, store, peers, asked: BTreeMap::new(), adds, has_rivals: false, reads: BTreeMap::new() }
    }

    /// `n0` alone, but several processes of it at once.
    pub(crate) fn with_rivals() -> Self {
        Self { has_rivals: true, ..Self::new(1) }
    }

    /// A client's request to that incarnation of the node. Returns its id and its line.
    pub(crate) fn ask(&mut self, incarnation: usize, op: Op) -> (i64, String) {
        let msg_id = i64::try_from(self.asked.len()).unwrap() + 1;
        let mut body = match op {
            Op::Init => json!({"type": "init", "node_id": "n0", "node_ids": self.nodes}),
            Op::Add => json!({"type": "add", "delta": digit(self.adds.len())}),
            Op::Read => json!({"type": "read"}),
        };
        body["msg_id"] = json!(msg_id);
        let (acknowledged, add) = (self.acknowledged_before(incarnation), self.adds.len());
        self.asked.insert(msg_id, Asked { incarnation, op, add, acknowledged, is_answered: false });
        if op == Op::Add {
            self.adds.push(Fate::Unknown);
        }
        (msg_id, line_from("c1", &body))
    }

    /// The adds that a read must show if it is asked now: those that this incarnation has acknowledged. If it is not one of
    /// several at once, those of earlier incarnations too. Adds of peers may come later.
    fn acknowledged_before(&self, incarnation: usize) -> Vec<usize> {
        let is_due =
            |asked: &&Asked| asked.op == Op::Add && (asked.incarnation == incarnation || !self.has_rivals);
        let known = self.asked.values().filter(is_due).map(|asked| asked.add);
        known.filter(|add| self.adds[*add] == Fate::Acknowledged).collect()
    }

    pub(crate) fn is_answered(&self, msg_id: i64) -> bool {
        self.asked[&msg_id].is_answered
    }

    pub(crate) fn is_for(&self, incarnation: usize, msg_id: i64) -> bool {
        self.asked[&msg_id].incarnation == incarnation
    }

    /// Whether every peer holds every acknowledged add.
    pub(crate) fn all_peers_know(&self) -> bool {
        let acknowledged = self.adds_that_are(Fate::Acknowledged);
        let holds = |value: u64| acknowledged.iter().all(|add| times(value, *add) > 0);
        self.peers.values().all(|peer| holds(peer.held.values().sum()))
    }

    /// Acts on a message of that incarnation. Returns the lines that answer it.
    pub(crate) fn act(&mut self, incarnation: usize, message: &Value) -> Result<Vec<String>, Violation> {
        let (dest, body) = (message["dest"].as_str().unwrap_or_default(), &message["body"]);
        if message["src"] != "n0" {
            return Err(format!("it calls itself something else: {message}"));
        }
        let answers = match dest {
            "seq-kv" => self.store.act(body)?,
            "c1" => {
                self.client_hears(incarnation, body)?;
                Vec::new()
            }
            peer => {
                let peer = self.peers.get_mut(peer).ok_or(format!("addressed to a stranger: {message}"))?;
                peer.act(body)
            }
        };
        Ok(answers.into_iter().map(|body| line_from(dest, &body)).collect())
    }

    fn client_hears(&mut self, incarnation: usize, body: &Value) -> Result<(), Violation> {
        let id = body["in_reply_to"].as_i64().unwrap_or_default();
        let asked = self.asked.get_mut(&id);
        let asked = asked
            .filter(|asked| asked.incarnation == incarnation)
            .ok_or(format!("nobody asked this incarnation: {body}"))?;
        if std::mem::replace(&mut asked.is_answered, true) {
            return Err(format!("answered twice: {body}"));
        }
        match (asked.op, body["type"].as_str()) {
            (Op::Add, Some("add_ok")) => self.adds[asked.add] = Fate::Acknowledged,
            (Op::Add, Some("error")) if DEFINITE.contains(&body["code"].as_i64().unwrap_or(0)) => {
                self.adds[asked.add] = Fate::Refused;
            }
            (Op::Init, Some("init_ok")) | (Op::Add, Some("error")) => {}
            (Op::Read, Some("read_ok")) => {
                let value = body["value"].as_u64().ok_or(format!("no value: {body}"))?;
                let mut known = if self.store.is_silent { Vec::new() } else { asked.acknowledged.clone() };
                known.extend(self.shown_by(incarnation));
                self.reads.insert(id, value);
                self.check_read(value, &known)?;
            }
            (op, _) => return Err(format!("{op:?} is answered by {body}")),
        }
        Ok(())
    }

    /// The adds that this incarnation's reads have shown.
    fn shown_by(&self, incarnation: usize) -> Vec<usize> {
        let reads: Vec<_> = self.reads.iter().filter(|(id, _)| self.is_for(incarnation, **id)).collect();
        (0..self.adds.len()).filter(|add| reads.iter().any(|(_, value)| times(**value, *add) > 0)).collect()
    }

    /// Checks a read: it shows no add twice, no refused add, and all `known` ones.
    fn check_read(&self, value: u64, known: &[usize]) -> Result<(), Violation> {
        for i in 0..30 {
            let times = times(value, i);
            let fate = self.adds.get(i).copied();
            if times > 1 || times == 1 && matches!(fate, None | Some(Fate::Refused)) {
                return Err(format!("add {i} ({fate:?}) is counted {times} times"));
            }
            if times == 0 && known.contains(&i) {
                return Err(format!("add {i} was acknowledged, or shown, and is lost"));
            }
        }
        Ok(())
    }

    /// Checks that this value holds every acknowledged add but the `spared` ones, and nothing that it must not hold.
    pub(crate) fn check_counted(&self, value: u64, spared: &[usize]) -> Result<(), Violation> {
        let mut acknowledged = self.adds_that_are(Fate::Acknowledged);
        acknowledged.retain(|add| !spared.contains(add));
        self.check_read(value, &acknowledged)
    }

    /// Checks that the last read shows every acknowledged add.
    pub(crate) fn check_last_read(&self) -> Result<(), Violation> {
        let last = self.reads.values().next_back().ok_or("nobody has read")?;
        self.check_counted(*last, &[])
    }

    /// Checks that the record of `n0` holds each of its acknowledged adds.
    pub(crate) fn check_record(&self) -> Result<(), Violation> {
        let peers: Vec<usize> = (0..self.peers.len()).collect();
        let value = self.store.record("n0").values().sum();
        self.check_counted(value, &peers).map_err(|problem| format!("in the record: {problem}"))
    }

    fn adds_that_are(&self, fate: Fate) -> Vec<usize> {
        (0..self.adds.len()).filter(|&i| self.adds[i] == fate).collect()
    }
}

fn digit(add: usize) -> u64 {
    4_u64.pow(u32::try_from(add).unwrap())
}

/// How often an add is in a value.
fn times(value: u64, add: usize) -> u64 {
    value / digit(add) % 4
}

fn line_from(src: &str, body: &Value) -> String {
    json!({"src": src, "dest": "n0", "body": body}).to_string()
}

/// A lie of the store. It does what it was asked to, unless the variant says otherwise.
#[derive(Clone, Debug)]
pub(crate) enum Lie {
    /// It does not answer.
    Silence,
    /// It does nothing, and gives this answer.
    Idle(Value),
    /// It answers together with the next.
    Late,
    Twice,
    Instead(Value),
    /// A read shows the value before the last change.
    Stale,
    /// A read shows every count as zero.
    Lowered,
}

/// A linearizable store, which may be told to lie.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) values: BTreeMap<String, Value>,
    /// It neither does nor answers anything.
    pub(crate) is_silent: bool,
    /// Which request is answered by a lie, counted from 1.
    pub(crate) lie: Option<(usize, Lie)>,
    /// An answer that comes with the next.
    withheld: Vec<Value>,
    /// The values before the last change.
    before: BTreeMap<String, Value>,
    requests: usize,
}

impl Store {
    /// The counts in a node's record.
    pub(crate) fn record(&self, node: &str) -> BTreeMap<String, u64> {
        let rows = self.values.get(node).and_then(Value::as_object);
        let count = |value: &Value| value.as_u64().or_else(|| value.get(0)?.as_u64());
        rows.map(counts_by(count)).unwrap_or_default()
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    fn act(&mut self, request: &Value) -> Result<Vec<Value>, Violation> {
        if self.is_silent {
            return Ok(Vec::new());
        }
        self.requests += 1;
        let mut answers = std::mem::take(&mut self.withheld);
        match self.lie.clone().filter(|(when, _)| *when == self.requests) {
            Some((_, Lie::Idle(answer))) => answers.push(in_reply_to(request, answer)),
            Some((_, lie)) => {
                let honest = self.perform(request)?;
                answers.extend(self.lie(&lie, request, honest));
            }
            None => answers.push(in_reply_to(request, self.perform(request)?)),
        }
        Ok(answers)
    }

    fn lie(&mut self, lie: &Lie, request: &Value, honest: Value) -> Vec<Value> {
        let key = request["key"].as_str().unwrap_or_default();
        let is_read = honest["type"] == "read_ok";
        let lowered = || self.record(key).into_keys().map(|replica| (replica, 0)).collect::<BTreeMap<_, _>>();
        let answer = match lie {
            Lie::Silence => return Vec::new(),
            Lie::Late => {
                self.withheld.push(in_reply_to(request, honest));
                return Vec::new();
            }
            Lie::Twice => return vec![in_reply_to(request, honest); 2],
            Lie::Idle(answer) | Lie::Instead(answer) => answer.clone(),
            Lie::Stale if is_read => match self.before.get(key) {
                Some(value) => json!({"type": "read_ok", "value": value}),
                None => json!({"type": "error", "code": 20, "text": "no"}),
            },
            Lie::Lowered if is_read => json!({"type": "read_ok", "value": lowered()}),
            Lie::Stale | Lie::Lowered => honest,
        };
        vec![in_reply_to(request, answer)]
    }

    fn perform(&mut self, request: &Value) -> Result<Value, Violation> {
        let key = request["key"].as_str().ok_or(format!("no key: {request}"))?;
        let there = self.values.get(key).cloned();
        let error = |code| Ok(json!({"type": "error", "code": code, "text": "no"}));
        match (request["type"].as_str(), there) {
            (Some("read"), Some(value)) => Ok(json!({"type": "read_ok", "value": value})),
            (Some("read"), None) => error(20),
            (Some("cas"), None) if request["create_if_not_exists"] != true => error(20),
            (Some("cas"), Some(value)) if request["from"] != value => error(22),
            (Some("cas"), _) => self.put(key, &request["to"]).map(|()| json!({"type": "cas_ok"})),
            (Some("write"), _) => self.put(key, &request["value"]).map(|()| json!({"type": "write_ok"})),
            _ => Err(format!("the store is asked for {request}")),
        }
    }

    /// Writes a value. No count of a record may go down. A node may write its own record, and the list of all nodes.
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Violation> {
        if key != "n0" && !key.starts_with("n0/") && key != "/nodes" {
            return Err(format!("it writes to {key}"));
        }
        let before = self.record(key);
        if let Some(value) = self.values.insert(key.into(), value.clone()) {
            self.before.insert(key.into(), value);
        }
        let after = self.record(key);
        match before.iter().find(|(replica, count)| after.get(*replica) < Some(count)) {
            Some((replica, count)) => Err(format!("the record goes down: {replica} was {count}, in {value}")),
            None => Ok(()),
        }
    }
}

fn in_reply_to(request: &Value, mut answer: Value) -> Value {
    answer["in_reply_to"] = request["msg_id"].clone();
    answer
}

fn counts_by(
    count: impl Fn(&Value) -> Option<u64>,
) -> impl FnOnce(&Map<String, Value>) -> BTreeMap<String, u64> {
    move |rows| rows.iter().filter_map(|(key, value)| Some((key.clone(), count(value)?))).collect()
}

/// A peer that confirms everything, and tells all counts that it holds.
#[derive(Debug)]
struct Peer {
    epoch: String,
    held: BTreeMap<String, u64>,
    said: i64,
}

impl Peer {
    fn act(&mut self, body: &Value) -> Vec<Value> {
        if let Some(counts) = body["counts"].as_object() {
            for (replica, count) in counts_by(Value::as_u64)(counts) {
                let held = self.held.entry(replica).or_default();
                *held = count.max(*held);
            }
        }
        if body["type"] != "gossip" {
            return Vec::new();
        }
        self.said += 1;
        vec![json!({
            "type": "gossip_ok",
            "in_reply_to": body["msg_id"],
            "msg_id": self.said,
            "epoch": self.epoch,
            "counts": self.held,
        })]
    }
}
