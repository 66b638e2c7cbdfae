//! The events that a host tells the world, and the actions that the world wants.

/// Something that happened to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// It printed a line (without its newline).
    Line { node: usize, incarnation: u32, line: &'a [u8] },
    /// It has accepted the line that it was handed: another may follow.
    Accepted { node: usize, incarnation: u32 },
    /// It ended; cleanly, if with status 0.
    Exited { node: usize, incarnation: u32, is_clean: bool, status: String },
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
