//! The cluster over NATS: subjects, the stream as a store, and the tasks that drive a replica's other half.

mod append;
mod asking;
mod clock;
mod handle;
mod inspect;
mod joining;
mod peers;
mod reading;
mod refusals;
mod settings;
mod store;
mod stream;
mod watching;
mod world;

pub use asking::{Elsewhere, NotMade};
pub use handle::Cluster;
pub use inspect::{Inspection, StreamState, inspect};
use settings::check_names;
pub use settings::{JoinError, Settings, is_cluster_name};
pub use store::{Answer, JetStream, Store};
pub use stream::{NoStream, open_stream};
pub use world::join;
