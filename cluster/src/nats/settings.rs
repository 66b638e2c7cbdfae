//! How a node joins, and why it can't.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use embedded::{OpenError, is_node_name};

/// How a node joins a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The servers, such as `nats://127.0.0.1:4222`. Any one of them will do.
    pub servers: Vec<String>,
    /// The name of the cluster: 1 to 32 letters, digits, `-` and `_`.
    pub cluster: String,
    /// The file with the credentials of this node, if the servers ask for any.
    pub credentials: Option<PathBuf>,
    /// How many servers keep a copy of the stream, if this node makes it. `None`: three if the servers are a cluster, one otherwise.
    pub replicas: Option<usize>,
    /// How long to look for a server and the stream before [`join`](super::join) gives up.
    pub join_within: Duration,
    /// The store counts as down once it has not answered for so long. Then peers acknowledge changes.
    pub store_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".into()],
            cluster: "counterd".into(),
            credentials: None,
            replicas: None,
            join_within: Duration::from_secs(30),
            store_timeout: Duration::from_millis(50),
        }
    }
}

/// Whether this may be the name of a cluster: 1 to 32 letters, digits, `-` and `_`.
///
/// ```
/// assert!(cluster::nats::is_cluster_name("shop"));
/// assert!(!cluster::nats::is_cluster_name("shop.eu"));
/// ```
pub fn is_cluster_name(name: &str) -> bool {
    is_node_name(name)
}

/// Why a node can't join.
#[derive(Debug)]
pub enum JoinError {
    /// The cluster has no good name.
    Cluster(String),
    /// No server can be reached, or none lets this node in.
    Servers(String),
    /// The stream can't be used or made. Says why, and what to do.
    Stream(String),
    /// The counters can't be opened.
    Open(OpenError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(name) => {
                write!(f, "\"{name}\" is no name for a cluster: it has 1 to 32 letters, digits, - and _")
            }
            Self::Servers(problem) => {
                write!(f, "can't connect to NATS: {problem}. Check the servers and the credentials")
            }
            Self::Stream(problem) => f.write_str(problem),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<OpenError> for JoinError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
