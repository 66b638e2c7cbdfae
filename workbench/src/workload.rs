//! Workloads: the requests that the clients send.

use rand::RngExt;
use serde::Serialize;

use crate::answer::{Answer, check_fields};
use crate::body::Body;
use crate::json::Json;
use crate::seeds::Random;

/// A workload: which requests the clients send, and how the answers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// A counter that only grows: adds of 0 to 4, and about twice as many reads.
    GCounter,
    /// A counter: adds of -5 to 4, and as many reads.
    PnCounter,
    /// Nodes answer with the content of the request.
    Echo,
    /// Nodes give out ids, none twice.
    UniqueIds,
    /// Nodes spread messages, which all nodes must know in the end. Each node gets its neighbours in a grid.
    Broadcast,
    /// A set that only grows.
    GSet,
    /// A linearizable key-value store: reads, writes and compare-and-sets of small integers, 20 on each key.
    LinKv,
}

/// A client's request to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "f", content = "value")]
pub enum Request {
    /// Add this much to the counter.
    Add(i64),
    /// Read the counter's value.
    Read,
    /// Answer with "Please echo" and this number.
    Echo(u32),
    /// Give out an id.
    Generate,
    /// Spread this message to all nodes.
    Broadcast(u64),
    /// Read the messages that the node knows.
    ReadMessages,
    /// Add this element to the set.
    Insert(u64),
    /// Read the elements of the set.
    ReadElements,
    /// Read the value under this key.
    ReadKey {
        /// The key.
        key: u64,
    },
    /// Write the value under this key.
    WriteKey {
        /// The key.
        key: u64,
        /// The new value.
        value: i64,
    },
    /// Replace `from` by `to`, if `from` is the present value.
    Cas {
        /// The key.
        key: u64,
        /// The expected value.
        from: i64,
        /// The new value.
        to: i64,
    },
}

/// How many operations a key of [`Workload::LinKv`] gets. More would make the search for an order long.
const PER_KEY: u64 = 20;

impl Workload {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GCounter => "g-counter",
            Self::PnCounter => "pn-counter",
            Self::Echo => "echo",
            Self::UniqueIds => "unique-ids",
            Self::Broadcast => "broadcast",
            Self::GSet => "g-set",
            Self::LinKv => "lin-kv",
        }
    }

    /// Whether the workload is about a counter.
    pub fn is_counter(self) -> bool {
        matches!(self, Self::GCounter | Self::PnCounter)
    }

    /// Draws one request. If the workload has updates and reads, each has even chances. The grow-only counter skips
    /// negative adds. `next` counts the elements of sets.
    pub(crate) fn draw(self, random: &mut Random, next: &mut u64) -> Request {
        match self {
            Self::GCounter | Self::PnCounter => self.draw_for_counter(random),
            Self::Echo => Request::Echo(random.random_range(0..128)),
            Self::UniqueIds => Request::Generate,
            Self::Broadcast if random.random() => Request::Broadcast(count(next)),
            Self::Broadcast => Request::ReadMessages,
            Self::GSet if random.random() => Request::Insert(count(next)),
            Self::GSet => Request::ReadElements,
            Self::LinKv => draw_for_key(count(next) / PER_KEY, random),
        }
    }

    fn draw_for_counter(self, random: &mut Random) -> Request {
        loop {
            let request =
                if random.random() { Request::Add(random.random_range(-5..5)) } else { Request::Read };
            let is_negative = matches!(request, Request::Add(..0));
            if self != Self::GCounter || !is_negative {
                return request;
            }
        }
    }

    /// The request that ends the run of every client, if there is one.
    pub(crate) fn final_request(self) -> Option<Request> {
        match self {
            Self::GCounter | Self::PnCounter => Some(Request::Read),
            Self::Broadcast => Some(Request::ReadMessages),
            Self::GSet => Some(Request::ReadElements),
            Self::Echo | Self::UniqueIds | Self::LinKv => None,
        }
    }
}

/// As many reads as changes. Of the changes, one is a write for every two compare-and-sets.
fn draw_for_key(key: u64, random: &mut Random) -> Request {
    let (from, to) = (random.random_range(0..5), random.random_range(0..5));
    match random.random_range(0..6) {
        0..3 => Request::ReadKey { key },
        3 => Request::WriteKey { key, value: to },
        _ => Request::Cas { key, from, to },
    }
}

fn count(next: &mut u64) -> u64 {
    *next += 1;
    *next - 1
}

impl Request {
    /// The request's name in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add(_) | Self::Insert(_) => "add",
            Self::Read | Self::ReadMessages | Self::ReadElements | Self::ReadKey { .. } => "read",
            Self::Echo(_) => "echo",
            Self::Generate => "generate",
            Self::Broadcast(_) => "broadcast",
            Self::WriteKey { .. } => "write",
            Self::Cas { .. } => "cas",
        }
    }

    /// The request's key, if it has one.
    pub(crate) fn key(self) -> Option<u64> {
        match self {
            Self::ReadKey { key } | Self::WriteKey { key, .. } | Self::Cas { key, .. } => Some(key),
            _ => None,
        }
    }

    /// The request's argument, in the history. Null if it has none.
    pub(crate) fn argument(self) -> Json {
        match self {
            Self::Add(delta) => Json::canonical(delta.to_string()),
            Self::Insert(element) | Self::Broadcast(element) => Json::canonical(element.to_string()),
            Self::Echo(number) => Json::string(&format!("Please echo {number}")),
            Self::Read | Self::ReadMessages | Self::ReadElements | Self::Generate => Json::null(),
            Self::ReadKey { key } => Json::canonical(format!("[{key},null]")),
            Self::WriteKey { key, value } => Json::canonical(format!("[{key},{value}]")),
            Self::Cas { key, from, to } => Json::canonical(format!("[{key},[{from},{to}]]")),
        }
    }

    /// The `type` that answers it.
    pub(crate) fn reply_type(self) -> &'static str {
        match self {
            Self::Add(_) | Self::Insert(_) => "add_ok",
            Self::Read | Self::ReadMessages | Self::ReadElements | Self::ReadKey { .. } => "read_ok",
            Self::WriteKey { .. } => "write_ok",
            Self::Cas { .. } => "cas_ok",
            Self::Echo(_) => "echo_ok",
            Self::Generate => "generate_ok",
            Self::Broadcast(_) => "broadcast_ok",
        }
    }

    /// The request as a message body.
    pub(crate) fn body(self, msg_id: u64) -> String {
        let (kind, argument) = (self.name(), self.argument());
        match self {
            Self::Add(delta) => format!(r#"{{"type":"add","delta":{delta},"msg_id":{msg_id}}}"#),
            Self::Insert(element) => format!(r#"{{"type":"add","element":{element},"msg_id":{msg_id}}}"#),
            Self::Echo(_) => format!(r#"{{"type":"echo","echo":{argument},"msg_id":{msg_id}}}"#),
            Self::Broadcast(message) => {
                format!(r#"{{"type":"broadcast","message":{message},"msg_id":{msg_id}}}"#)
            }
            Self::Read | Self::ReadMessages | Self::ReadElements | Self::Generate => {
                format!(r#"{{"type":"{kind}","msg_id":{msg_id}}}"#)
            }
            Self::ReadKey { key } => format!(r#"{{"type":"read","key":{key},"msg_id":{msg_id}}}"#),
            Self::WriteKey { key, value } => {
                format!(r#"{{"type":"write","key":{key},"value":{value},"msg_id":{msg_id}}}"#)
            }
            Self::Cas { key, from, to } => {
                format!(r#"{{"type":"cas","key":{key},"from":{from},"to":{to},"msg_id":{msg_id}}}"#)
            }
        }
    }

    /// Reads the content of an answer of the right type. The error says how it breaks the closed schema.
    pub(crate) fn read_answer(self, body: &Body<'_>) -> Result<Answer, String> {
        let field = match self {
            Self::Add(_)
            | Self::Insert(_)
            | Self::Broadcast(_)
            | Self::WriteKey { .. }
            | Self::Cas { .. } => None,
            Self::Read | Self::ReadElements | Self::ReadKey { .. } => Some("value"),
            Self::ReadMessages => Some("messages"),
            Self::Echo(_) => Some("echo"),
            Self::Generate => Some("id"),
        };
        check_fields(body, field)?;
        match (self, field) {
            (_, None) => Ok(Answer::Done),
            (Self::Read, Some(_)) => Answer::integer(body),
            (Self::ReadMessages | Self::ReadElements, Some(field)) => Answer::elements(body, field),
            (_, Some(field)) => Answer::json(body, field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn draws(workload: Workload) -> Vec<Request> {
        let mut random = Seeds::new(8).generator();
        (0..9000).map(|_| workload.draw(&mut random, &mut 0)).collect()
    }

    fn deltas(requests: &[Request]) -> std::collections::BTreeSet<i64> {
        let delta = |request: &Request| match request {
            Request::Add(delta) => Some(*delta),
            _ => None,
        };
        requests.iter().filter_map(delta).collect()
    }

    #[test]
    fn the_grow_only_counter_is_a_third_adds_of_0_to_4() {
        let requests = draws(Workload::GCounter);
        let reads = requests.iter().filter(|request| **request == Request::Read).count();
        assert!((5700..6300).contains(&reads), "{reads} reads in 9000");
        assert_eq!(deltas(&requests), (0..5).collect());
    }

    #[test]
    fn the_other_counter_is_half_adds_of_minus_5_to_4() {
        let requests = draws(Workload::PnCounter);
        let reads = requests.iter().filter(|request| **request == Request::Read).count();
        assert!((4200..4800).contains(&reads), "{reads} reads in 9000");
        assert_eq!(deltas(&requests), (-5..5).collect());
    }
}
