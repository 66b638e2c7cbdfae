//! The protocols of the services: what they can be asked.

use super::ServiceName;
use crate::workload::{Rpc, Shape};

const READ: Rpc = Rpc {
    name: "read",
    about: "Tell the value under that key. Error 20 says that there is none.",
    is_read: true,
    trusts_errors: true,
    asks: &[("key", "any value")],
    answers: Some(("value", Shape::Any)),
};

const WRITE: Rpc = Rpc {
    name: "write",
    about: "Put that value under the key.",
    is_read: false,
    trusts_errors: true,
    asks: &[("key", "any value"), ("value", "any value")],
    answers: None,
};

const CAS: Rpc = Rpc {
    name: "cas",
    about: "If the value under the key is `from`, put `to` there. Error 20 says that there is none, error 22 that it is another.",
    is_read: false,
    trusts_errors: true,
    asks: &[
        ("key", "any value"),
        ("from", "the expected value"),
        ("to", "the new value"),
        ("create_if_not_exists", CREATE),
    ],
    answers: None,
};

const CREATE: &str = "may be left out; if it is true and there is none, put `to` there (lww-kv ignores it)";

pub(super) const TS: Rpc = Rpc {
    name: "ts",
    about: "Give out the next timestamp.",
    is_read: false,
    trusts_errors: true,
    asks: &[],
    answers: Some(("ts", Shape::Integer)),
};

impl ServiceName {
    /// What the service is, in a sentence.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::SeqKv => {
                "A sequentially consistent key-value store. A request that changes nothing may be answered from the past"
            }
            Self::LinKv => "A linearizable key-value store",
            Self::LwwKv => {
                "An eventually consistent key-value store of two replicas, where the last write wins. Each request goes to either"
            }
            Self::LinTso => "A source of timestamps, which ascend from 0",
        }
    }

    /// The requests that the service knows. It answers no others.
    pub(crate) fn protocol(self) -> &'static [&'static Rpc] {
        match self {
            Self::SeqKv | Self::LinKv | Self::LwwKv => &[&READ, &WRITE, &CAS],
            Self::LinTso => &[&TS],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::json::Json;
    use crate::reply::{Reply, ReplyContent};
    use crate::seeds::Seeds;
    use crate::service::Services;

    /// A request with the fields that the protocol names, each of them 1.
    fn body(rpc: &Rpc) -> String {
        let ones = rpc.asks.iter().map(|(field, _)| ((*field).to_owned(), Json::from(1_u64)));
        let head = [("type".to_owned(), Json::string(rpc.name)), ("msg_id".to_owned(), Json::from(1_u64))];
        Json::object(head.into_iter().chain(ones)).to_string()
    }

    #[test]
    fn each_request_of_the_protocol_is_answered_as_it_says_and_no_other_is_answered() {
        for service in ServiceName::ALL {
            let mut services = Services::new(Seeds::new(1).generator());
            for rpc in [&READ, &WRITE, &CAS, &TS] {
                // So that both replicas of lww-kv know the key.
                let mut ask = |rpc| services.handle(service, Endpoint::Node(0), &body(rpc));
                (0..20).for_each(|_| drop(ask(&WRITE)));
                let Some(answer) = ask(rpc) else {
                    assert!(!service.protocol().contains(&rpc), "{service:?} {rpc:?}");
                    continue;
                };
                assert!(service.protocol().contains(&rpc), "{service:?} {rpc:?}");
                let content = Reply::to(rpc, &answer).content;
                assert!(matches!(content, ReplyContent::Fits { .. } | ReplyContent::Holds(_)), "{answer}");
            }
        }
    }
}
