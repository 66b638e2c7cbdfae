//! The node as a child process: the test reads and writes its pipes. Waits are bounded, and dropping a process kills it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_maelstrom-counter");

/// The longest wait for a line that a process should write. After that the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process and its output, line by line. It reads one line ahead of the test, and no more.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Process {
    /// A process that waits for its `init`.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(BIN);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A failed test should print the failure alone. A test that wants the log asks for it.
        let has_log = args.contains(&"--log");
        let mut child = command.stderr(if has_log { Stdio::piped() } else { Stdio::null() }).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, stdin, lines: read_in_background(stdout) }
    }

    /// The node `n0` of a cluster of one, initialised.
    pub(crate) fn member(args: &[&str]) -> Self {
        let mut node = Self::start(args);
        node.say("c0", json!({"type": "init", "msg_id": 1, "node_id": "n0", "node_ids": ["n0"]}));
        assert_eq!(node.hear()["body"]["type"], "init_ok");
        node
    }

    pub(crate) fn say(&mut self, src: &str, body: Value) {
        self.write(&json!({"src": src, "dest": "n0", "body": body}).to_string()).unwrap();
    }

    /// Writes a line. It fails if the process has ended.
    pub(crate) fn write(&mut self, line: &str) -> std::io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(format!("{line}\n").as_bytes()))
    }

    /// The next line that the process writes. `None` once it has closed its output.
    pub(crate) fn next_line(&self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(serde_json::from_str(&line).unwrap()),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("the node says nothing"),
        }
    }

    /// The next line that the process writes, if it writes one within so many milliseconds.
    pub(crate) fn hear_within(&self, ms: u64) -> Option<Value> {
        let line = self.lines.recv_timeout(Duration::from_millis(ms)).ok()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The next line that the process writes. The test fails if it ends instead.
    pub(crate) fn hear(&self) -> Value {
        self.next_line().expect("the node has ended")
    }

    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("a log, asked for with --log")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Waits for the end. Returns the exit status and the rest of the output.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let rest = std::iter::from_fn(|| self.next_line()).collect();
        (self.wait().code(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails only if the process has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_in_background(stdout: ChildStdout) -> Receiver<String> {
    let (to_test, lines) = sync_channel(0);
    thread::spawn(move || {
        let whole = BufReader::new(stdout).lines().map_while(Result::ok);
        whole.take_while(|line| to_test.send(line.clone()).is_ok()).for_each(drop);
    });
    lines
}

/// Waits until a number has stopped growing.
pub(crate) fn until_it_stands_still(number: &AtomicUsize) {
    let mut seen = 0;
    while seen == 0 || seen != number.load(Ordering::Relaxed) {
        seen = number.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(200));
    }
}
