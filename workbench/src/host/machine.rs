//! Nodes as state machines.

use std::time::Duration;

/// A node as a state machine, driven in place of a child process. It reads and writes lines, as a process does. A
/// [`Node`](crate::Node) handles messages, and so is less work.
///
/// `now` is the time since the start of the run. Lines come without their newline. The machine appends its lines to `out`,
/// each followed by `b'\n'`. A paused machine is not called. When it is resumed it gets at once all lines that waited.
///
/// A node that only answers implements [`receive`](Self::receive) alone. One that does something by itself also implements
/// [`wake`](Self::wake) and [`next_wake`](Self::next_wake).
pub trait Machine {
    /// Reports a look at standard input. It found so many bytes, which [`receive`](Self::receive) brings next, or 0. A
    /// process learns this by asking the system before it reads. It is for nodes that need to know how long a line may have
    /// waited; others need not implement it.
    ///
    /// After a pause a process may do what is due before it looks.
    fn looked(&mut self, now: Duration, bytes: usize) {
        let _ = (now, bytes);
    }

    /// Gives the machine a line of standard input.
    fn receive(&mut self, now: Duration, line: &[u8], out: &mut Vec<u8>);

    /// Wakes the machine at the time of [`next_wake`](Self::next_wake), or later after a pause.
    fn wake(&mut self, now: Duration, out: &mut Vec<u8>) {
        let _ = (now, out);
    }

    /// When to call [`wake`](Self::wake) next: never, unless the machine says otherwise. It is asked after every call. After
    /// `wake(now)` it must be later than `now`.
    fn next_wake(&self) -> Option<Duration> {
        None
    }

    /// Tells the machine to end, as SIGTERM does. It may still print. A machine that does not implement it ignores the signal,
    /// and is killed after 5 s. [`Check::CleanEnd`](crate::Check::CleanEnd) reports that.
    fn terminate(&mut self, now: Duration, out: &mut Vec<u8>) {
        let _ = (now, out);
    }

    /// Whether the process would have ended. It is asked after every call.
    fn has_exited(&self) -> bool {
        false
    }
}

/// Makes nodes: one call for each incarnation of each node's process.
pub trait MachineFactory {
    /// A new process for the node of that index (0 for `n0`). `init` will tell it its name. `seed` is for its random
    /// choices.
    fn start(&mut self, now: Duration, node: usize, seed: u64) -> Box<dyn Machine>;
}

impl<F: FnMut(Duration, usize, u64) -> Box<dyn Machine>> MachineFactory for F {
    fn start(&mut self, now: Duration, node: usize, seed: u64) -> Box<dyn Machine> {
        self(now, node, seed)
    }
}
