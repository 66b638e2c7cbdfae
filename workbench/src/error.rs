//! The errors because of which the bench gives no verdict.

use std::io;
use std::path::PathBuf;

/// The bench itself failed, or the nodes could not be started: there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The program to test does not exist or can't be run.
    #[error("cannot start {}: {source}{}", path.display(), note(advice))]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// What the user should do, if the file tells that.
        advice: Option<String>,
    },
    /// A node did not answer `init`: it printed something else, died, or was silent.
    #[error("n{node} {text}{}{}", note(advice), log_note(log))]
    Setup {
        /// The node's index.
        node: usize,
        /// What it did instead.
        text: String,
        /// The last lines of its log.
        log: String,
        /// What the user should do, if the program's file tells that.
        advice: Option<String>,
    },
    /// The bench could not write a file, or could not control a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The options do not go together.
    #[error("{0}")]
    Usage(String),
    /// SIGINT (Ctrl-C), SIGTERM, SIGHUP or SIGQUIT. All child processes have been ended.
    #[error("interrupted")]
    Interrupted,
}

impl BenchError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

#[expect(clippy::ref_option, reason = "the error's derive hands over a reference to the field")]
fn note(advice: &Option<String>) -> String {
    advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default()
}

/// The end of a log, for a text about its process.
pub(crate) fn log_note(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!("; the end of its log:\n{log}") }
}
