//! The events that a host tells the world, and the actions that the world wants.

use crate::error::log_note;

/// Something that happened to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// It printed a line (without its newline).
    Line { node: usize, incarnation: u32, line: &'a [u8] },
    /// It has accepted the line that it was handed: another may follow.
    Accepted { node: usize, incarnation: u32 },
    /// It ended.
    Exited { node: usize, incarnation: u32, end: End },
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Whether with status 0.
    pub(crate) is_clean: bool,
    /// How, in words.
    pub(crate) status: String,
    /// The last lines of its log. Empty if it has none.
    pub(crate) log: String,
}

impl End {
    /// How it ended, with the end of its log.
    pub(crate) fn tell(&self) -> String {
        format!("{}{}", self.status, log_note(&self.log))
    }
}

/// Something that the host must do to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start it. The seed is for simulated nodes.
    Start { node: usize, incarnation: u32, seed: u64 },
    /// Hand it a line (without its newline), and say `Accepted` once it can take another.
    Deliver { node: usize, incarnation: u32, line: Vec<u8> },
    /// End it at once. No `Exited` need follow.
    Kill { node: usize },
    /// Ask it to end. `Exited` follows.
    Terminate { node: usize },
    /// Freeze it.
    Pause { node: usize },
    /// Let it go on.
    Resume { node: usize },
    /// Resume it and pause it again at once: it may do what is due, but not read.
    Glimpse { node: usize },
}
