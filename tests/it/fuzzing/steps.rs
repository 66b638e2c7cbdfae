//! The steps of a structured but wrong sequence. They refer to earlier messages of the node, so that they get deep.

use arbitrary::{Arbitrary, Unstructured};
use maelstrom_counter::config::{AckPolicy, Config, CounterKind};
use serde_json::{Value, json};

use super::pieces::{Claim, Id, Name, Number, ODD_JSON, Of, Record, Seldom, claims, pick};
use super::world::World;

/// The settings of a node. The steps come from the rest of the bytes.
#[derive(Debug, Arbitrary)]
pub(crate) struct Setup {
    ack: u8,
    is_pn: bool,
    seed: u8,
    waits_for_init: u8,
    withholds_names: u8,
}

/// The most steps of a run: a fuzzer prefers many runs to long ones.
const MOST_STEPS: usize = 200;

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
    /// A peer answers one of the node's last messages to it.
    Confirm {
        back: u8,
        gossip: Gossip,
    },
    /// The store does what one of the last requests asks.
    Obey {
        back: u8,
    },
    /// The store gives any answer to one of the last requests.
    Disobey {
        back: u8,
        answer: Answer,
    },
    /// Another program writes to the store.
    Meddle {
        node: Name,
        record: Record,
    },
    /// Any sender answers a request that there may never have been.
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
    Terminate(Seldom),
    Close(Seldom),
}

#[derive(Debug, Arbitrary)]
struct Gossip {
    epoch: u8,
    msg_id: Id,
    ack: Id,
    counts: Vec<Claim>,
    minus: Vec<Claim>,
    unstored: Vec<Of>,
    inquiry: Inquiry,
    refused: Vec<Of>,
}

#[derive(Debug, Arbitrary)]
enum Inquiry {
    None,
    Asks(Of),
    Holds(Claim),
    HoldsAPair(Claim, Number),
    Both(Of, Vec<Claim>),
}

#[derive(Debug, Arbitrary)]
enum Answer {
    Done(u8),
    Value(Record),
    Error(i8),
}

#[derive(Debug, Arbitrary)]
struct Junk {
    kind: u8,
    fields: Vec<(u8, u8)>,
}

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

const FIELDS: [&str; 17] = [
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
    "asks",
    "holds",
    "refused",
    "value",
    "code",
    "text",
    "frob",
];

impl Setup {
    /// Runs the steps that these bytes spell.
    pub(crate) fn run(&self, bytes: &mut Unstructured<'_>) {
        let mut world = self.world();
        for _ in 0..MOST_STEPS {
            if bytes.is_empty() || world.is_done() {
                break;
            }
            let Ok(step) = bytes.arbitrary::<Step>() else { break };
            step.run(&mut world);
        }
        world.terminate();
        world.pass(2000);
        assert!(world.is_done(), "a node that is told to stop stops");
    }

    fn world(&self) -> World {
        let config = Config {
            ack: pick(&[AckPolicy::Store, AckPolicy::Durable, AckPolicy::Memory], self.ack),
            counter: if self.is_pn { CounterKind::Pn } else { CounterKind::G },
            ..Config::default()
        };
        let seed = self.seed.into();
        let mut world = if self.waits_for_init.is_multiple_of(8) {
            World::new(config, seed)
        } else {
            World::member(config, seed)
        };
        world.withholds_names = self.withholds_names.is_multiple_of(4);
        world
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
            Self::Meddle { node, record } => {
                let value: Option<Value> = serde_json::from_str(&record.json(world)).ok();
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
            Self::Terminate(Seldom(0)) => world.terminate(),
            Self::Close(Seldom(0)) => world.close(),
            Self::Terminate(_) | Self::Close(_) => {}
        }
    }
}

/// Gives the node a message with these further fields.
fn say(world: &mut World, src: &str, kind: &str, fields: &[&str]) {
    let (src, fields) = (json!(src), fields.concat());
    world.line(format!(r#"{{"src":{src},"dest":"n0","body":{{"type":"{kind}"{fields}}}}}"#).as_bytes());
}

impl Gossip {
    fn fields(&self, world: &mut World) -> String {
        let ids = [self.msg_id.field("msg_id", world), self.ack.field("ack", world)].concat();
        let (counts, minus) = (claims(world, &self.counts), claims(world, &self.minus));
        let unstored: Vec<_> = self.unstored.iter().map(|replica| replica.text(world)).collect();
        let unstored = json!(unstored);
        let epoch = self.epoch % 4;
        let refused: Vec<_> = self.refused.iter().map(|replica| replica.text(world)).collect();
        let inquiry = self.inquiry.fields(world);
        let refused =
            if refused.is_empty() { String::new() } else { format!(r#","refused":{}"#, json!(refused)) };
        let claim = format!(r#""counts":{counts},"minus":{minus},"unstored":{unstored}"#);
        format!(r#"{ids},"epoch":"{epoch:08x}",{claim}{inquiry}{refused}"#)
    }
}

impl Inquiry {
    fn fields(&self, world: &World) -> String {
        let asks = |replica: &Of| format!(r#","asks":{}"#, json!(replica.text(world)));
        let holds = |json: String| format!(r#","holds":{json}"#);
        match self {
            Self::None => String::new(),
            Self::Asks(replica) => asks(replica),
            Self::Holds(claim) => holds(claims(world, std::slice::from_ref(claim))),
            Self::HoldsAPair(claim, down) => {
                let (up, down) = (claim.count.json(world), down.json(world));
                holds(format!("{{{}:[{up},{down}]}}", json!(claim.of.text(world))))
            }
            Self::Both(replica, all) => asks(replica) + &holds(claims(world, all)),
        }
    }
}

impl Junk {
    fn fields(&self) -> String {
        let field =
            |(name, value): &(u8, u8)| format!(",{:?}:{}", pick(&FIELDS, *name), pick(&ODD_JSON, *value));
        self.fields.iter().map(field).collect()
    }
}

impl Answer {
    fn say(&self, world: &mut World, src: &str, to: &str) {
        let (kind, field) = match self {
            Self::Done(kind) => (pick(&KINDS, *kind), String::new()),
            Self::Value(record) => ("read_ok", format!(r#","value":{}"#, record.json(world))),
            Self::Error(code) => ("error", format!(r#","code":{code},"text":"so""#)),
        };
        say(world, src, kind, &[to, &field]);
    }
}
