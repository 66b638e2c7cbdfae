//! The services that Maelstrom offers to nodes, with its semantics, surprises included.

mod kv;
mod sequential;

use serde_json::{Map, Value};

use self::kv::KvStore;
use self::sequential::Sequential;

use crate::endpoint::Endpoint;
use crate::seeds::Random;

/// The services by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServiceName {
    /// `seq-kv`, a sequentially consistent key-value store.
    SeqKv,
}

impl ServiceName {
    /// Every service.
    pub(crate) const ALL: [Self; 1] = [Self::SeqKv];

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SeqKv => "seq-kv",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == name)
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// All the services of one run.
#[derive(Debug)]
pub(crate) struct Services {
    seq_kv: Sequential<KvStore>,
    random: Random,
}

impl Services {
    pub(crate) fn new(random: Random) -> Self {
        Self { seq_kv: Sequential::new(KvStore::default()), random }
    }

    /// Has a service do what a message asks. Returns the body of the answer, or `None` where Maelstrom's service would
    /// stumble and say nothing: at a request it does not know.
    pub(crate) fn handle(&mut self, service: ServiceName, src: Endpoint, body: &str) -> Option<String> {
        let body: Map<String, Value> = serde_json::from_str(body).ok()?;
        let mut answer = match service {
            ServiceName::SeqKv => self.seq_kv.handle(src, &body, &mut self.random)?,
        };
        answer.insert("in_reply_to".into(), body.get("msg_id").cloned().unwrap_or(Value::Null));
        Some(Value::Object(answer).to_string())
    }
}
