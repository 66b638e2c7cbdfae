//! Counters that never lose an acknowledged add, in a directory of your own.
//!
//! # An example
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path();
//! let counters = embedded::Counters::open(path)?;
//! counters.add("views", 3).wait()?;
//! assert_eq!(counters.value("views"), 3);
//! counters.close()?;
//!
//! // The count is there again, after a crash too.
//! let counters = embedded::Counters::open(path)?;
//! assert_eq!(counters.value("views"), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! [`Counters`] is a handle: clone it, and use it from any thread. Behind it are a [replica](replica::Replica), a database in
//! the directory, and two threads. Calls hand their requests to the replica, one call after the other. The replica decides
//! what to commit. The committing thread takes one commit after the other to the database, each with one sync of the disk;
//! whatever is counted meanwhile goes with the next one. The other thread wakes the replica when something is due.
//!
//! An add returns a [`Pending`]. It is a future, and [`Pending::wait`] waits without any runtime. It is ready once the add is
//! as durable as the [policy](AckPolicy) demands. A value that is read is stored: it does not go back over a crash, unless the
//! policy is [`AckPolicy::Memory`].

mod clock;
mod committer;
mod counters;
mod engine;
mod entry;
mod error;
mod export;
mod group;
mod import;
mod index;
mod keys;
mod options;
mod outside;
mod peers;
mod pending;
mod session;
mod shared;
mod stalls;
mod status;
mod store;
mod timer;
mod times;
mod version;
mod watch;

pub use counters::Counters;
pub use entry::{Entry, EntryKind, Unreadable};
pub use error::{Counted, Fatal, OpenError, Refused};
pub use export::Export;
pub use group::{Answer, Done, Group};
pub use import::ImportError;
pub use keys::MAX_KEY;
pub use options::{MAX_GROUP, Options, is_node_name};
pub use outside::{Errand, Outside};
pub use peers::{Peer, Seen};
pub use pending::Pending;
pub use replica::{
    AckPolicy, Change, MAX_BATCH, MAX_COUNTERS, MAX_NAME, MAX_SOURCES, MAX_WAITS, Name, NodeId, Refusal,
    Reply, Step, Until,
};
pub use session::Session;
pub use status::{Status, StoreStatus};
pub use times::Times;
pub use version::{NoVersion, Version};
pub use watch::{Watch, Watched};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
