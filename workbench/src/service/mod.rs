//! The services that Maelstrom offers to nodes. They behave as Maelstrom's do, in surprising cases too.

mod kv;
mod lww;
mod protocol;
mod sequential;

use serde::Serialize;

use self::kv::KvStore;
use self::lww::Lww;
use self::protocol::TS;
use self::sequential::{Sequential, State};

use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::json::{Json, JsonError};
use crate::seeds::{Random, Seeds};

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

    /// Lets a service handle a message. Returns the body of the answer. `None` if Maelstrom's service would fail and answer
    /// nothing: the request is unknown, or nested too deep.
    pub(crate) fn handle(&mut self, service: ServiceName, src: Endpoint, body: &str) -> Option<String> {
        let body = Body::parse(body)?;
        let request = Request::read(&body).ok()?;
        if !service.protocol().iter().any(|rpc| rpc.name == request.kind) {
            return None;
        }
        let answer = match service {
            ServiceName::SeqKv => self.seq_kv.handle(src, &request, &mut self.random)?,
            ServiceName::LinKv => self.ask_lin_kv(&request)?,
            ServiceName::LwwKv => self.lww_kv.handle(&request, &mut self.random)?,
            ServiceName::LinTso => self.ask_lin_tso(&request)?,
        };
        serde_json::to_string(&Addressed { in_reply_to: body.json("msg_id").ok()?, answer }).ok()
    }

    fn ask_lin_kv(&mut self, request: &Request) -> Option<Answer> {
        let (changed, answer) = self.lin_kv.handle(request)?;
        if let Some(changed) = changed {
            self.lin_kv = changed;
        }
        Some(answer)
    }

    fn ask_lin_tso(&mut self, request: &Request) -> Option<Answer> {
        (request.kind == TS.name).then(|| {
            let ts = self.next_timestamp;
            self.next_timestamp += 1;
            Answer::TsOk { ts }
        })
    }
}

/// Maelstrom's `seq-kv` by itself, for the tests of a program that keeps something there. It has the service's surprises:
/// a request that changes nothing may be answered from the past.
///
/// ```
/// let mut service = workbench::SeqKv::new(7);
/// let write = r#"{"type":"write","key":"x","value":3,"msg_id":1}"#;
/// assert_eq!(service.handle("n0", write).as_deref(), Some(r#"{"in_reply_to":1,"type":"write_ok"}"#));
/// let read = r#"{"type":"read","key":"x","msg_id":2}"#;
/// let answer = r#"{"in_reply_to":2,"type":"read_ok","value":3}"#;
/// assert_eq!(service.handle("n0", read).as_deref(), Some(answer));
/// ```
#[derive(Debug)]
pub struct SeqKv(Services);

impl SeqKv {
    /// An empty store. The seed decides how old its answers are.
    pub fn new(seed: u64) -> Self {
        Self(Services::new(Seeds::new(seed).generator()))
    }

    /// Does what the body of a message asks, and returns the body of the answer. `None` where Maelstrom's service would
    /// say nothing, or if nobody can be called like `client`: a node is `n0`, a client `c0`.
    pub fn handle(&mut self, client: &str, body: &str) -> Option<String> {
        self.0.handle(ServiceName::SeqKv, Endpoint::parse(client)?, body)
    }
}

/// What a service is asked. A field that is missing reads as null, as in Maelstrom.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The type. Empty if it is no string.
    kind: String,
    key: Json,
    value: Json,
    from: Json,
    to: Json,
    create_if_not_exists: bool,
}

impl Request {
    fn read(body: &Body<'_>) -> Result<Self, JsonError> {
        // Any other value is true, as in Clojure.
        let create_if_not_exists = match body.get("create_if_not_exists") {
            None | Some("null" | "false") => false,
            Some(value) => Json::parse(value).map(|_| true)?,
        };
        Ok(Self {
            kind: body.text("type").unwrap_or_default(),
            key: body.json("key")?,
            value: body.json("value")?,
            from: body.json("from")?,
            to: body.json("to")?,
            create_if_not_exists,
        })
    }

    #[cfg(test)]
    fn of(body: &serde_json::Value) -> Self {
        Self::read(&Body::parse(&body.to_string()).unwrap()).unwrap()
    }
}

/// The answer of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub(crate) enum Answer {
    ReadOk { value: Json },
    WriteOk,
    CasOk,
    TsOk { ts: u64 },
    Error { code: i64, text: String },
}

/// An answer and the request's `msg_id`, whatever that is.
#[derive(Serialize)]
struct Addressed {
    in_reply_to: Json,
    #[serde(flatten)]
    answer: Answer,
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Each store returns exactly the value that was written, and finds no other value equal to it.
    #[test]
    fn values_are_kept_and_compared_exactly() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let pairs = [
            ("340282366920938463463374607431768211457", "340282366920938463463374607431768211456"),
            ("18446744073709551616", "18446744073709551616.0"),
            ("[1.5,\"é\",{\"a\":{\"b\":9007199254740993}}]", "[1.5,\"é\",{\"a\":{\"b\":9007199254740992}}]"),
            (deep.as_str(), "[]"),
        ];
        for ((value, other), name) in
            pairs.into_iter().flat_map(|pair| ["seq-kv", "lin-kv", "lww-kv"].map(|name| (pair, name)))
        {
            let mut services = Services::new(Seeds::new(1).generator());
            let mut ask = |body: &str| ask(&mut services, name, 0, body).unwrap();
            // One replica of the last store may not know of the first write.
            for _ in 0..100 {
                ask(&format!(r#"{{"type":"write","key":{value},"value":{value},"msg_id":1}}"#));
            }
            assert_eq!(
                ask(&format!(r#"{{"type":"read","key":{value},"msg_id":{value}}}"#)),
                format!(r#"{{"in_reply_to":{value},"type":"read_ok","value":{value}}}"#)
            );
            let cas = |from: &str| {
                format!(r#"{{"type":"cas","key":{value},"from":{from},"to":{value},"msg_id":1}}"#)
            };
            assert!(ask(&cas(other)).contains(r#""code":22"#), "{name}");
            assert!(ask(&cas(value)).contains("cas_ok"), "{name}");
            assert!(
                ask(&format!(r#"{{"type":"read","key":{other},"msg_id":1}}"#)).contains(r#""code":20"#),
                "{name}"
            );
        }
    }

    #[test]
    fn a_request_that_is_nested_too_deep_for_maelstrom_gets_no_answer() {
        let mut services = Services::new(Seeds::new(1).generator());
        let deep = format!("{}{}", "[".repeat(1001), "]".repeat(1001));
        let write = format!(r#"{{"type":"write","key":"x","value":{deep},"msg_id":1}}"#);
        assert_eq!(ask(&mut services, "lin-kv", 0, &write), None);
    }

    #[test]
    fn timestamps_ascend_from_0() {
        let mut services = Services::new(Seeds::new(1).generator());
        for expected in 0..5 {
            let answer = ask(&mut services, "lin-tso", 0, r#"{"type":"ts","msg_id":7}"#).unwrap();
            assert_eq!(answer, format!(r#"{{"in_reply_to":7,"type":"ts_ok","ts":{expected}}}"#));
        }
        assert_eq!(ask(&mut services, "lin-tso", 0, r#"{"type":"read"}"#), None);
    }
}
