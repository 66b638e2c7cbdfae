//! What the clients ask for.

use rand::RngExt;
use serde::Serialize;

use crate::seeds::Random;

/// A workload: which requests the clients send, and how the answers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// A counter that only grows: adds of 0 to 4, and about twice as many reads.
    GCounter,
    /// A counter: adds of -5 to 4, and as many reads.
    PnCounter,
}

/// What a client asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "f", content = "value")]
pub enum Request {
    /// Add this much to the counter.
    Add(i64),
    /// What is the counter's value?
    Read,
}

impl Workload {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GCounter => "g-counter",
            Self::PnCounter => "pn-counter",
        }
    }

    /// Draws one request: with even chances an add or a read, and the grow-only counter passes over negative adds.
    pub(crate) fn draw(self, random: &mut Random) -> Request {
        loop {
            let request =
                if random.random() { Request::Add(random.random_range(-5..5)) } else { Request::Read };
            match (self, request) {
                (Self::GCounter, Request::Add(..0)) => {}
                (Self::GCounter | Self::PnCounter, _) => return request,
            }
        }
    }
}

impl Request {
    /// The request's name in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Read => "read",
        }
    }

    /// The `type` that answers it.
    pub(crate) fn reply_type(self) -> &'static str {
        match self {
            Self::Add(_) => "add_ok",
            Self::Read => "read_ok",
        }
    }

    /// The request as a message body.
    pub(crate) fn body(self, msg_id: u64) -> String {
        match self {
            Self::Add(delta) => format!(r#"{{"type":"add","delta":{delta},"msg_id":{msg_id}}}"#),
            Self::Read => format!(r#"{{"type":"read","msg_id":{msg_id}}}"#),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Seeds;

    fn draws(workload: Workload) -> Vec<Request> {
        let mut random = Seeds::new(8).generator();
        (0..9000).map(|_| workload.draw(&mut random)).collect()
    }

    fn deltas(requests: &[Request]) -> std::collections::BTreeSet<i64> {
        let delta = |request: &Request| match request {
            Request::Add(delta) => Some(*delta),
            Request::Read => None,
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
