//! Structured but wrong: what may happen to a node, with references to what it has said so that it gets deep.

use arbitrary::Arbitrary;
use maelstrom_counter::config::{AckPolicy, Config, CounterKind};
use serde_json::{Value, json};

use super::world::World;

#[derive(Debug, Arbitrary)]
pub(crate) struct Sequence {
    ack: u8,
    is_pn: bool,
    seed: u8,
    is_member: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Init {
        src: Name,
        msg_id: Id,
        node: Name,
        nodes: Vec<Name>,
    },
    Add {
        src: Name,
        msg_id: Id,
        delta: Number,
    },
    Read {
        src: Name,
        msg_id: Id,
    },
    Gossip {
        src: Name,
        gossip: Gossip,
    },
    /// To what was asked, of whom it was asked.
    Confirm {
        back: u8,
        gossip: Gossip,
    },
    /// As a store would do it.
    Obey {
        back: u8,
    },
    /// As a store would not do it.
    Disobey {
        back: u8,
        answer: Answer,
    },
    /// Somebody puts something into the store.
    Meddle {
        node: Name,
        slot: Slot,
    },
    /// To what was perhaps never asked.
    Reply {
        src: Name,
        to: Id,
        answer: Answer,
    },
    Unknown {
        src: Name,
        msg_id: Id,
        body: Junk,
    },
    Pass(u16),
    Freeze(u16),
    Terminate,
    Close,
}

#[derive(Debug, Arbitrary)]
struct Gossip {
    epoch: u8,
    msg_id: Id,
    ack: Id,
    counts: Vec<Claim>,
    minus: Vec<Claim>,
}

#[derive(Debug, Arbitrary)]
enum Name {
    Node(u8),
    Client(u8),
    Store,
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
enum Id {
    None,
    Fresh,
    Small(u8),
    Asked(u8),
    Any(i64),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
enum Number {
    Small(i8),
    Any(u64),
    Signed(i64),
    /// This much more than the node has counted.
    Own(i8),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
struct Claim {
    of: Of,
    count: Number,
}

#[derive(Debug, Arbitrary)]
enum Of {
    Own,
    Life(u8, u8),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
enum Answer {
    Done(u8),
    Value(Slot),
    Error(i8),
}

#[derive(Debug, Arbitrary)]
enum Slot {
    Claims(Vec<Claim>),
    Pairs(Vec<(Claim, Number)>),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
struct Junk {
    kind: u8,
    fields: Vec<(u8, u8)>,
}

const ODD_NAMES: [&str; 10] = [
    "",
    "n0#00000001",
    "n0/barrier",
    "a\"b",
    "a\\b",
    "\0",
    "ü",
    " ",
    "n0",
    "a name that is longer than any node's name may be, which is to say 64 bytes",
];

const ODD_JSON: [&str; 14] = [
    "null",
    "true",
    "-0",
    "1.5",
    "1e400",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "\"\"",
    "[]",
    "{}",
    "[[[{\"a\":[null]}]]]",
    "\"00000001\"",
];

const KINDS: [&str; 12] = [
    "init",
    "add",
    "read",
    "gossip",
    "gossip_ok",
    "read_ok",
    "cas_ok",
    "write_ok",
    "error",
    "cas",
    "frob",
    "init_ok",
];

const FIELDS: [&str; 14] = [
    "type",
    "msg_id",
    "in_reply_to",
    "delta",
    "node_id",
    "node_ids",
    "epoch",
    "ack",
    "counts",
    "minus",
    "value",
    "code",
    "text",
    "frob",
];

impl Sequence {
    pub(crate) fn run(&self) {
        let config = Config {
            ack: pick(&[AckPolicy::Store, AckPolicy::Durable, AckPolicy::Memory], self.ack),
            counter: if self.is_pn { CounterKind::Pn } else { CounterKind::G },
            ..Config::default()
        };
        let seed = self.seed.into();
        let mut world = if self.is_member { World::member(config, seed) } else { World::new(config, seed) };
        for step in self.steps.iter().take(100) {
            step.run(&mut world);
            if world.is_done() {
                return;
            }
        }
        world.terminate();
        world.pass(2000);
        assert!(world.is_done() || world.own().is_none(), "a node that is told to stop stops");
    }
}

impl Step {
    fn run(&self, world: &mut World) {
        match self {
            Self::Init { src, msg_id, node, nodes } => {
                let nodes: Vec<String> = nodes.iter().map(Name::text).collect();
                let fields = format!(r#","node_id":{},"node_ids":{}"#, json!(node.text()), json!(nodes));
                let msg_id = msg_id.field("msg_id", world);
                say(world, &src.text(), "init", &[&msg_id, &fields]);
            }
            Self::Add { src, msg_id, delta } => {
                let fields = [msg_id.field("msg_id", world), format!(r#","delta":{}"#, delta.json(world))];
                say(world, &src.text(), "add", &[&fields[0], &fields[1]]);
            }
            Self::Read { src, msg_id } => {
                let msg_id = msg_id.field("msg_id", world);
                say(world, &src.text(), "read", &[&msg_id]);
            }
            Self::Gossip { src, gossip } => {
                let fields = gossip.fields(world);
                say(world, &src.text(), "gossip", &[&fields]);
            }
            Self::Confirm { back, gossip } => {
                let Some((peer, id)) = world.asked_of_peer(*back) else { return };
                let fields = gossip.fields(world);
                say(world, &peer, "gossip_ok", &[&format!(r#","in_reply_to":{id}"#), &fields]);
            }
            Self::Obey { back } => world.obey(*back),
            Self::Disobey { back, answer } => {
                let Some(id) = world.asked_of_store(*back) else { return };
                answer.say(world, "seq-kv", &format!(r#","in_reply_to":{id}"#));
            }
            Self::Meddle { node, slot } => {
                let value: Option<Value> = serde_json::from_str(&slot.json(world)).ok();
                world.put(node.text(), value);
            }
            Self::Reply { src, to, answer } => {
                let to = to.field("in_reply_to", world);
                answer.say(world, &src.text(), &to);
            }
            Self::Unknown { src, msg_id, body } => {
                let (msg_id, fields) = (msg_id.field("msg_id", world), body.fields());
                say(world, &src.text(), pick(&KINDS, body.kind), &[&msg_id, &fields]);
            }
            Self::Pass(ms) => world.pass(u64::from(ms % 6000)),
            Self::Freeze(ms) => world.freeze(u64::from(ms % 6000)),
            Self::Terminate => world.terminate(),
            Self::Close => world.close(),
        }
    }
}

/// Gives the node a message with these further fields.
fn say(world: &mut World, src: &str, kind: &str, fields: &[&str]) {
    let (src, fields) = (json!(src), fields.concat());
    world.line(format!(r#"{{"src":{src},"dest":"n0","body":{{"type":"{kind}"{fields}}}}}"#).as_bytes());
}

fn pick<T: Copy>(all: &[T], which: u8) -> T {
    all[usize::from(which) % all.len()]
}

/// By hand: keys may be doubled.
fn claims(world: &World, claims: &[Claim]) -> String {
    let entries: Vec<_> = claims
        .iter()
        .map(|claim| format!("{}:{}", json!(claim.of.text(world)), claim.count.json(world)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

impl Gossip {
    fn fields(&self, world: &mut World) -> String {
        let ids = [self.msg_id.field("msg_id", world), self.ack.field("ack", world)].concat();
        let (counts, minus) = (claims(world, &self.counts), claims(world, &self.minus));
        format!(r#"{ids},"epoch":"{:08x}","counts":{counts},"minus":{minus}"#, self.epoch % 4)
    }
}

impl Junk {
    fn fields(&self) -> String {
        let field =
            |(name, value): &(u8, u8)| format!(",{:?}:{}", pick(&FIELDS, *name), pick(&ODD_JSON, *value));
        self.fields.iter().map(field).collect()
    }
}

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Node(n) => format!("n{}", n % 4),
            Self::Client(n) => format!("c{}", n % 4),
            Self::Store => "seq-kv".into(),
            Self::Odd(n) => pick(&ODD_NAMES, *n).into(),
        }
    }
}

impl Id {
    /// The field of this name, or nothing.
    fn field(&self, name: &str, world: &mut World) -> String {
        let id = match self {
            Self::None => return String::new(),
            Self::Fresh => world.fresh_id().to_string(),
            Self::Small(id) => (id % 8).to_string(),
            Self::Asked(back) => world.asked(*back).unwrap_or_default().to_string(),
            Self::Any(id) => id.to_string(),
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        };
        format!(r#","{name}":{id}"#)
    }
}

impl Number {
    fn json(&self, world: &World) -> String {
        match self {
            Self::Small(n) => n.to_string(),
            Self::Any(n) => n.to_string(),
            Self::Signed(n) => n.to_string(),
            Self::Own(more) => (i128::from(world.counted().0) + i128::from(*more)).to_string(),
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        }
    }
}

impl Of {
    fn text(&self, world: &World) -> String {
        match self {
            Self::Own => world.own().unwrap_or_else(|| "n0#00000000".into()),
            Self::Life(node, epoch) => format!("n{}#{:08x}", node % 5, epoch % 8),
            Self::Odd(which) => pick(&ODD_NAMES, *which).into(),
        }
    }
}

impl Answer {
    fn say(&self, world: &mut World, src: &str, to: &str) {
        let (kind, field) = match self {
            Self::Done(kind) => (pick(&KINDS, *kind), String::new()),
            Self::Value(slot) => ("read_ok", format!(r#","value":{}"#, slot.json(world))),
            Self::Error(code) => ("error", format!(r#","code":{code},"text":"so""#)),
        };
        say(world, src, kind, &[to, &field]);
    }
}

impl Slot {
    fn json(&self, world: &World) -> String {
        match self {
            Self::Claims(all) => claims(world, all),
            Self::Pairs(all) => {
                let pairs = all.iter().map(|(claim, down)| {
                    let (of, up) = (json!(claim.of.text(world)), claim.count.json(world));
                    format!("{of}:[{up},{}]", down.json(world))
                });
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        }
    }
}
