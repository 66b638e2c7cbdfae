//! The services that Maelstrom offers to nodes, with its semantics, surprises included.

mod kv;
mod lww;
mod sequential;

use serde_json::{Map, Value};

use self::kv::KvStore;
use self::lww::Lww;
use self::sequential::{Sequential, State};

use crate::endpoint::Endpoint;
use crate::seeds::Random;

/// The services by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServiceName {
    /// `seq-kv`, a sequentially consistent key-value store.
    SeqKv,
    /// `lin-kv`, a linearizable one.
    LinKv,
    /// `lww-kv`, an eventually consistent one where the last write wins.
    LwwKv,
    /// `lin-tso`, which hands out ascending timestamps.
    LinTso,
}

impl ServiceName {
    /// Every service.
    pub(crate) const ALL: [Self; 4] = [Self::SeqKv, Self::LinKv, Self::LwwKv, Self::LinTso];

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SeqKv => "seq-kv",
            Self::LinKv => "lin-kv",
            Self::LwwKv => "lww-kv",
            Self::LinTso => "lin-tso",
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
    lin_kv: KvStore,
    lww_kv: Lww,
    next_timestamp: u64,
    random: Random,
}

impl Services {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            seq_kv: Sequential::new(KvStore::default()),
            lin_kv: KvStore::default(),
            lww_kv: Lww::new(),
            next_timestamp: 0,
            random,
        }
    }

    /// Has a service do what a message asks. Returns the body of the answer, or `None` where Maelstrom's service would
    /// stumble and say nothing: at a request it does not know.
    pub(crate) fn handle(&mut self, service: ServiceName, src: Endpoint, body: &str) -> Option<String> {
        let body: Map<String, Value> = serde_json::from_str(body).ok()?;
        let mut answer = match service {
            ServiceName::SeqKv => self.seq_kv.handle(src, &body, &mut self.random)?,
            ServiceName::LinKv => self.ask_lin_kv(&body)?,
            ServiceName::LwwKv => self.lww_kv.handle(&body, &mut self.random)?,
            ServiceName::LinTso => self.ask_lin_tso(&body)?,
        };
        answer.insert("in_reply_to".into(), body.get("msg_id").cloned().unwrap_or(Value::Null));
        Some(Value::Object(answer).to_string())
    }

    fn ask_lin_kv(&mut self, request: &Map<String, Value>) -> Option<Map<String, Value>> {
        let (changed, answer) = self.lin_kv.handle(request)?;
        if let Some(changed) = changed {
            self.lin_kv = changed;
        }
        Some(answer)
    }

    fn ask_lin_tso(&mut self, request: &Map<String, Value>) -> Option<Map<String, Value>> {
        (request.get("type")? == "ts").then(|| {
            let timestamp = self.next_timestamp;
            self.next_timestamp += 1;
            Map::from_iter([("type".to_owned(), "ts_ok".into()), ("ts".to_owned(), timestamp.into())])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn ask(services: &mut Services, name: &str, src: u64, body: &str) -> Option<String> {
        services.handle(ServiceName::parse(name).unwrap(), Endpoint::Client(src), body)
    }

    #[test]
    fn the_linearizable_store_shows_every_write_to_all_at_once() {
        let mut services = Services::new(Seeds::new(1).generator());
        for value in 0..50 {
            let write = format!(r#"{{"type":"write","key":"x","value":{value},"msg_id":1}}"#);
            assert_eq!(
                ask(&mut services, "lin-kv", 0, &write).unwrap(),
                r#"{"in_reply_to":1,"type":"write_ok"}"#
            );
            let read =
                ask(&mut services, "lin-kv", value + 1, r#"{"type":"read","key":"x","msg_id":2}"#).unwrap();
            assert_eq!(read, format!(r#"{{"in_reply_to":2,"type":"read_ok","value":{value}}}"#));
        }
    }

    #[test]
    fn timestamps_ascend_from_0() {
        let mut services = Services::new(Seeds::new(1).generator());
        for expected in 0..5 {
            let answer = ask(&mut services, "lin-tso", 0, r#"{"type":"ts","msg_id":7}"#).unwrap();
            assert_eq!(answer, format!(r#"{{"in_reply_to":7,"ts":{expected},"type":"ts_ok"}}"#));
        }
        assert_eq!(ask(&mut services, "lin-tso", 0, r#"{"type":"read"}"#), None);
    }
}
