//! Nodes as state machines.

use std::time::Duration;

/// A node as a state machine, driven in place of a child process.
///
/// `now` is the time since the start of the run. Lines come without their newline; what the node prints is appended to
/// `out`, each line followed by `b'\n'`. A paused machine is not called; on resume it gets at once whatever waited.
pub trait Machine {
    /// It looked at standard input and found so many bytes, which [`receive`](Self::receive) brings next, or nothing. As a
    /// process finds out by asking before it reads. For nodes that need to know how long a line may have waited for them;
    /// others leave it be.
    ///
    /// After a pause a process may do what is due before it looks.
    fn looked(&mut self, now: Duration, bytes: usize) {
        let _ = (now, bytes);
    }

    /// A line on standard input.
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>);

    /// The time given by [`next_wake`](Self::next_wake) has come (or has passed, after a pause).
    fn wake(&mut self, now: Duration, out: &mut Vec<u8>);

    /// When to call [`wake`](Self::wake) next; asked after every call. After `wake(now)` it must be later than `now`.
    fn next_wake(&self) -> Option<Duration>;

    /// SIGTERM: time to say what is left to say.
    fn terminate(&mut self, now: Duration, out: &mut Vec<u8>);

    /// Whether the process would have ended; asked after every call.
    fn has_exited(&self) -> bool;
}

/// Makes nodes: one call for each incarnation of each node's process.
pub trait MachineFactory {
    /// A fresh process for the node of that index (0 for `n0`). It will be told its name by `init`. `seed` is for its
    /// random choices.
    fn start(&mut self, now: Duration, node: usize, seed: u64) -> Box<dyn Machine>;
}

impl<F: FnMut(Duration, usize, u64) -> Box<dyn Machine>> MachineFactory for F {
    fn start(&mut self, now: Duration, node: usize, seed: u64) -> Box<dyn Machine> {
        self(now, node, seed)
    }
}
