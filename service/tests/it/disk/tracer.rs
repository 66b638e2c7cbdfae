//! A disk that fails or hangs, as a process sees it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::harness::{Counterd, is_missing, skip, tied};

/// What makes the syncs of a process fail or hang. When it is dropped, the disk is as before.
pub(crate) struct Tracer(Child);

impl Tracer {
    /// From now on each sync fails. `None`, loudly, where that can't be had.
    pub(crate) fn fail_syncs(counterd: &Counterd) -> Option<Self> {
        Self::attach(counterd, "error=EIO")
    }

    /// From now on no sync ends. `None`, loudly, where that can't be had.
    pub(crate) fn hang_syncs(counterd: &Counterd) -> Option<Self> {
        // Ten minutes, in microseconds.
        Self::attach(counterd, "delay_enter=600000000")
    }

    fn attach(counterd: &Counterd, fault: &str) -> Option<Self> {
        if is_missing("strace") {
            return None;
        }
        let inject = format!("inject=fsync,fdatasync:{fault}");
        let words: Vec<_> =
            tied().iter().copied().chain(["strace", "-f", "-o", "/dev/null", "-e", &inject, "-p"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(counterd.pid().to_string());
        let mut tracer = Self(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(tracer.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        let is_attached = lines.any(|line| line.contains("attached"));
        // Nobody must close the pipe while strace writes to it.
        std::thread::spawn(move || lines.count());
        if !is_attached {
            skip("strace may not attach to a process here");
        }
        is_attached.then_some(tracer)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let _is_dead_already = self.0.kill();
        let _is_dead_already = self.0.wait();
    }
}
