//! What all connections share.

use std::sync::Arc;

use embedded::Counters;

use crate::access::Access;
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::peers::Peers;

/// What all connections share. A clone is the same.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
#[derive(Debug)]
pub struct Parts {
    /// The counters.
    pub counters: Counters,
    /// The other nodes.
    pub peers: Peers,
    /// Who may do what.
    pub access: Access,
    /// What is set.
    pub config: Config,
    /// What is measured.
    pub metrics: Metrics,
    /// Runs since the process serves.
    pub started: Stopwatch,
}

impl App {
    /// The parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
