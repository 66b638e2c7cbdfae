//! Why a bench could not run.

use std::io;
use std::path::PathBuf;

/// The bench itself failed, or the nodes could not be started: there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The program to test is not there or is not executable.
    #[error("cannot start {}: {source}", path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A node could not be brought to answer `init`: it printed something else, died, or kept silent.
    #[error("n{node} {text}{}", log_note(log))]
    Setup {
        /// The node's index.
        node: usize,
        /// What it did instead.
        text: String,
        /// The last lines of its log.
        log: String,
    },
    /// A file of the bench could not be written or a process not be looked after.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// Options that do not go together.
    #[error("{0}")]
    Usage(String),
    /// Ctrl-C, or SIGTERM. All child processes have been ended.
    #[error("interrupted")]
    Interrupted,
}

impl BenchError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

fn log_note(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!("; the end of its log:\n{log}") }
}
