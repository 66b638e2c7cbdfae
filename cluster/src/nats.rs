//! The cluster over NATS: subjects, the stream as a store, and the tasks that drive a replica's other half.

mod append;
mod asking;
mod clock;
mod handle;
mod names;
mod peers;
mod reading;
mod settings;
mod store;
mod stream;
mod world;

pub use asking::{Elsewhere, NotMade};
pub use handle::Cluster;
pub use names::Names;
pub use settings::{JoinError, Settings, is_cluster_name};
pub use store::{Answer, Store};
pub use stream::{NoStream, open_stream};
pub use world::join;
