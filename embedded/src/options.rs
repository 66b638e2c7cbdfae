//! How counters are opened.

use std::path::Path;
use std::time::Duration;

use replica::{AckPolicy, MAX_COUNTERS};

use crate::{Counters, OpenError, Outside};

/// How many requests may be submitted in one [group](crate::Counters::submit).
pub const MAX_GROUP: usize = 1 << 16;

/// How counters are opened.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// use embedded::{AckPolicy, Options};
///
/// let options = Options { ack: AckPolicy::Memory, node: Some("shop-1".into()), ..Options::default() };
/// let counters = options.open(directory.path())?;
/// assert_eq!(counters.status().node, "shop-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// When a change is acknowledged.
    pub ack: AckPolicy,
    /// The name of this node, 1 to 32 letters, digits, `-` and `_`. Without one it is drawn at the first start. It is kept in the
    /// directory.
    pub node: Option<String>,
    /// How long a change or a read may wait for its answer.
    pub answer_within: Duration,
    /// How many counters there may be. Past this, changes of unknown counters are refused.
    pub max_counters: usize,
    /// How long an idempotency key is remembered.
    pub key_window: Duration,
    /// How many idempotency keys are remembered. Past this, changes with new keys are refused.
    pub max_keys: usize,
}

/// Whether this may be the name of a node: 1 to 32 letters, digits, `-` and `_`.
///
/// ```
/// assert!(embedded::is_node_name("shop-1"));
/// assert!(!embedded::is_node_name("shop 1"));
/// ```
pub fn is_node_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=32).contains(&name.len()) && name.chars().all(is_good)
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ack: AckPolicy::Durable,
            node: None,
            answer_within: Duration::from_secs(5),
            max_counters: MAX_COUNTERS,
            key_window: Duration::from_hours(24),
            max_keys: 1_000_000,
        }
    }
}

impl Options {
    /// Opens the counters in a directory, which is made if there is none.
    ///
    /// It reads all counters into memory, and returns once they can be read and changed.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what is wrong with the directory, and what to do. Nothing in it was changed.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Counters, OpenError> {
        Counters::start(path.as_ref(), self)
    }

    /// Begins to count as a node of a cluster, whose store and messages the caller sees to, through [`Outside`]. It returns at once:
    /// [`Status::is_ready`](crate::Status::is_ready) says when reads and changes are answered.
    ///
    /// The store counts as down once it has not answered for `store_timeout`. Then peers acknowledge changes, if the policy is
    /// [`AckPolicy::Durable`].
    ///
    /// # Errors
    ///
    /// [`OpenError::Name`] if the node has no good name, [`OpenError::NoThread`].
    pub fn join(self, store_timeout: Duration) -> Result<(Counters, Outside), OpenError> {
        match self.node.clone() {
            Some(node) if is_node_name(&node) => Counters::join(node.as_str().into(), self, store_timeout),
            node => Err(OpenError::Name { given: node.unwrap_or_default() }),
        }
    }
}
