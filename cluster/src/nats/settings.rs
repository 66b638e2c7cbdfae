//! How a node joins, and why it can't.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use embedded::{OpenError, is_node_name};
use replica::NodeId;

/// How a node joins a cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The servers, such as `nats://127.0.0.1:4222`. Any one of them will do. An address may have a user and a password, or a token:
    /// `nats://n1:secret@127.0.0.1:4222`. What a URL can't hold is written as `%` and two hexadecimal digits.
    pub servers: Vec<String>,
    /// The name of the cluster: 1 to 32 letters, digits, `-` and `_`.
    pub cluster: String,
    /// The site of this node, named like a cluster. The records of a site are in a stream of its own. `None`: there is one site only.
    pub site: Option<String>,
    /// The file with the credentials of this node, if the servers ask for any: a JWT with its key (`.creds`), or the seed of an nkey.
    pub credentials: Option<PathBuf>,
    /// The certificates that those of the servers must come from, as PEM. `None`: the authorities that the system trusts.
    pub ca: Option<PathBuf>,
    /// The certificate of this node and its key, as PEM, if the servers ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// How many servers keep a copy of the stream, if this node makes it. `None`: three if the servers are a cluster, one otherwise.
    pub replicas: Option<usize>,
    /// How long to look for a server and the stream before [`join`](super::join) gives up. `None`: as long as it takes. What does not
    /// get better by waiting is an error at once, such as a wrong key.
    pub join_within: Option<Duration>,
    /// The store counts as down once it has not answered for so long. Then peers acknowledge changes.
    pub store_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".into()],
            cluster: "counterd".into(),
            site: None,
            credentials: None,
            ca: None,
            certificate: None,
            replicas: None,
            join_within: None,
            store_timeout: Duration::from_millis(50),
        }
    }
}

/// All but the servers, whose addresses may have passwords.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, site, replicas, .. } = self;
        let mut text = f.debug_struct("Settings");
        text.field("cluster", cluster).field("site", site).field("replicas", replicas);
        text.finish_non_exhaustive()
    }
}

/// Whether this may be the name of a cluster, or of a site: 1 to 32 letters, digits, `-` and `_`.
///
/// ```
/// assert!(cluster::nats::is_cluster_name("shop"));
/// assert!(!cluster::nats::is_cluster_name("shop.eu"));
/// ```
pub fn is_cluster_name(name: &str) -> bool {
    is_node_name(name)
}

/// Checks the names of the cluster, the site and the node. Returns that of the node.
pub(super) fn check_names(settings: &Settings, node: Option<&str>) -> Result<NodeId, JoinError> {
    let mut names = [Some(&settings.cluster), settings.site.as_ref()].into_iter().flatten();
    if let Some(bad) = names.find(|name| !is_cluster_name(name)) {
        return Err(JoinError::Cluster(bad.clone()));
    }
    match node {
        Some(node) if is_node_name(node) => Ok(node.into()),
        _ => Err(OpenError::Name { given: node.unwrap_or_default().into() }.into()),
    }
}

/// Why a node can't join.
#[derive(Debug)]
pub enum JoinError {
    /// The cluster, or the site, has no good name.
    Cluster(String),
    /// No server can be reached, or none lets this node in.
    Servers(String),
    /// The servers refuse this node a right that it needs. Says which.
    Right(String),
    /// The stream can't be used or made. Says why, and what to do.
    Stream(String),
    /// The counters can't be opened.
    Open(OpenError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(name) => {
                write!(
                    f,
                    "\"{name}\" is no name for a cluster or a site: it has 1 to 32 letters, digits, - and _"
                )
            }
            Self::Servers(problem) => {
                write!(f, "can't connect to NATS: {problem}. Check the servers and the credentials")
            }
            Self::Right(problem) | Self::Stream(problem) => f.write_str(problem),
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
