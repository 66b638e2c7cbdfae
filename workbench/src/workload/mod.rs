//! Workloads: what the clients ask for, and how the answers are judged.
//!
//! **A new workload** is one file here. It implements [`Workload`], [`Requests`] and [`Ask`]. It is known by its line `mod`, and by
//! its place in [`ALL`]. The rest of the bench knows workloads by these traits alone.

mod broadcast;
mod counter;
mod echo;
mod g_set;
mod kafka;
mod lin_kv;
mod request;
mod rpc;
mod set;
mod txn;
mod unique_ids;

use std::fmt::Debug;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::check::{Check, Sums, Violations};
use crate::history::{History, Operation};
use crate::plan::Plan;
use crate::seeds::Random;

pub use self::broadcast::Broadcast;
pub use self::counter::Counter;
pub(crate) use self::counter::Counting;
pub use self::echo::Echo;
pub use self::g_set::GSet;
pub use self::kafka::Kafka;
pub use self::lin_kv::LinKv;
pub(crate) use self::lin_kv::{Doing, OfKey};
pub use self::request::{Ask, Request};
pub(crate) use self::rpc::INIT;
pub use self::rpc::{Rpc, Shape};
pub(crate) use self::set::OfSet;
pub use self::txn::{Database, TransactionOptions};
pub use self::unique_ids::UniqueIds;

/// Every workload that the command line knows.
pub const ALL: &[&dyn Workload] = &[
    &Counter::G,
    &Counter::Pn,
    &Echo,
    &UniqueIds,
    &Broadcast,
    &GSet,
    &LinKv,
    &Kafka,
    &Database::Lists,
    &Database::Registers,
];

/// A workload: which requests the clients send, and how the answers are judged.
///
/// The value itself holds nothing. What differs from run to run is in the [`Plan`], and the state of one run in its [`Requests`].
/// Two workloads are the same if they have one name.
pub trait Workload: Debug + Send + Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// What the nodes do, in a sentence for the help.
    fn about(&self) -> &'static str;

    /// The requests that there are, with the shapes of their answers.
    fn protocol(&self) -> &'static [&'static Rpc];

    /// Begins a run: what its clients will ask for.
    fn requests(&self, plan: &Plan) -> Box<dyn Requests>;

    /// What each node is told before the clients begin. A node that does not answer well within 5 s ends the run.
    fn setup(&self, _plan: &Plan) -> Option<Request> {
        None
    }

    /// How long a client waits for an answer.
    fn patience(&self, _plan: &Plan) -> Duration {
        Duration::from_secs(5)
    }

    /// Whether the clients have requests for the end of the run: see [`Requests::at_end`].
    fn has_end(&self) -> bool {
        false
    }

    /// The kind of counter, if the workload is about one. Its requests are [`Request::add`] and [`Request::read`]. Then the bench can
    /// read nodes itself, hand them malformed adds, and draw their values.
    fn counter(&self) -> Option<Counter> {
        None
    }

    /// The checks that concern this workload, beside those that concern every run.
    fn checks(&self) -> &'static [Check];

    /// Judges a run. Costs what the checks cost.
    fn judge(&self, run: &Run<'_>, violations: &mut Violations);
}

/// The requests of one run. What it draws depends on `random` and on what it was told, and on nothing else.
pub trait Requests: Debug + Send {
    /// The next request of that client, counted from 0.
    fn next(&mut self, client: usize, random: &mut Random) -> Request;

    /// A request for the end of the run, after all faults. `round` counts those that this client has had. After `None` the client is
    /// done.
    fn at_end(&mut self, _client: usize, _round: u32) -> Option<Request> {
        None
    }

    /// An operation has ended.
    fn ended(&mut self, _operation: &Operation) {}
}

/// A run, for its judge.
#[derive(Debug)]
pub struct Run<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// What happened.
    pub history: &'a History,
    /// Whether the run came to its end. If not, what was known in the middle may not have spread yet.
    pub is_complete: bool,
    /// The values that a counter may have at the end.
    pub(crate) sums: &'a Sums,
}

/// The workload of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Workload> {
    ALL.iter().copied().find(|workload| workload.name() == name)
}

impl PartialEq for dyn Workload {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// Its name.
impl Serialize for dyn Workload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::seeds::Seeds;

    #[test]
    fn names_are_different_and_find_their_workloads() {
        let names: BTreeSet<&str> = ALL.iter().map(|workload| workload.name()).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|workload| by_name(workload.name()) == Some(*workload)));
        assert!(by_name("no-such").is_none());
    }

    /// A file with a workload in it that the list lacks could not be chosen.
    #[test]
    fn every_workload_of_this_folder_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/workload");
        let listed = format!("{ALL:?}");
        for file in
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file())
        {
            let text = std::fs::read_to_string(&file).unwrap();
            let begins = text.split("\nimpl Workload for ").skip(1);
            for name in begins
                .map(|rest| rest.split(' ').next().unwrap())
                .filter(|name| !["Counter", "Database"].contains(name))
            {
                assert!(listed.contains(name), "{name} of {}", file.display());
            }
        }
    }

    /// What is drawn is in the protocol, and a body has the fields that the protocol says.
    #[test]
    fn requests_are_those_of_the_protocol() {
        for workload in ALL {
            let plan = Plan::new(*workload, 1);
            let (mut requests, mut random) = (workload.requests(&plan), Seeds::new(3).generator());
            let drawn = (0..200).map(|number| requests.next(number % 3, &mut random)).collect::<Vec<_>>();
            for request in drawn.into_iter().chain(requests.at_end(0, 0)) {
                let name = request.name();
                assert!(workload.protocol().iter().any(|rpc| rpc.name == name), "{name}");
                let body: serde_json::Value = serde_json::from_str(&request.body(7)).unwrap();
                let rest =
                    ["type", "msg_id"].into_iter().chain(request.rpc().asks.iter().map(|(field, _)| *field));
                assert_eq!(
                    body.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(),
                    rest.collect()
                );
                assert_eq!((body["type"].as_str(), body["msg_id"].as_u64()), (Some(name), Some(7)));
            }
            assert!(workload.has_end() || requests.at_end(1, 0).is_none(), "{}", workload.name());
        }
    }
}
