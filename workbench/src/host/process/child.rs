//! One child process and its two threads.

use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::advice::advice;
use super::tree::{Listed, Tree, list};
use super::unfinished::Unfinished;
use super::{Clock, NodeCommand, Told, log};
use crate::error::BenchError;

/// The longest line that is read from a node.
const MAX_LINE: u64 = 64 << 20;
/// How long a process may take to end after it has closed its output or has been killed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the copy of its log may take after that.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

/// A running process with all that it has started. Dropping it ends them at once.
#[derive(Debug)]
pub(super) struct Process {
    child: process::Child,
    tree: Tree,
    /// The node's working directory.
    directory: PathBuf,
}

/// The bench's ends of a process's pipes.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    stderr: ChildStderr,
    log: fs::File,
}

impl Pipes {
    /// Writes the log until the process has closed its standard error, and then drops `until_copied`.
    pub(super) fn copy_log<T: Send + 'static>(self, until_copied: T) -> (ChildStdin, ChildStdout) {
        let Self { stdin, stdout, stderr, log } = self;
        thread::spawn(move || {
            log::copy(stderr, log);
            drop(until_copied);
        });
        (stdin, stdout)
    }
}

impl Process {
    /// Starts a node in a directory of its own, and in a process group of its own: Ctrl-C at the terminal is for the bench
    /// alone. Its log is written anew, or appended to.
    pub(super) fn start(
        command: &NodeCommand,
        node: usize,
        append: bool,
    ) -> Result<(Self, Pipes), BenchError> {
        let path = command.log(node);
        let directory = command.directory.join(format!("n{node}"));
        fs::create_dir_all(&directory)
            .map_err(BenchError::io(format!("cannot make {}", directory.display())))?;
        let log = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(&path);
        let log = log.map_err(BenchError::io(format!("cannot write {}", path.display())))?;
        let spawned = Command::new(&command.program)
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(&directory)
            .process_group(0)
            .spawn();
        let fail = |source: io::Error| {
            let advice = advice(&command.program, Some(source.kind()));
            BenchError::Spawn { path: command.program.clone(), source, advice }
        };
        let child = spawned.map_err(fail)?;
        let mut process = Self { tree: Tree::new(child.id()), child, directory };
        let child = &mut process.child;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((process, Pipes { stdin, stdout, stderr, log })),
            _ => Err(fail(io::Error::other("no pipes"))),
        }
    }

    /// Updates the set of the node's processes: those that signals reach, and whose memory counts.
    pub(super) fn update(&mut self, processes: &[Listed]) {
        self.tree.update(processes);
    }

    /// The sum of the processes' peaks of resident memory, in KiB; `None` where the system does not tell.
    pub(super) fn memory_kb(&self) -> Option<u64> {
        self.tree.memory_kb()
    }

    /// CPU time that the processes have used so far, user and system; `None` where the system does not tell.
    pub(super) fn cpu_time(&mut self) -> Option<Duration> {
        let processes = list();
        self.update(&processes);
        self.tree.cpu_time(&processes)
    }

    /// Waits a moment for a process that has closed its output, and tells whether it ended well, and how.
    fn end_after_close(&mut self) -> (bool, String) {
        let clock = Clock::start();
        while clock.now() < PATIENCE {
            match self.child.try_wait() {
                Ok(Some(status)) => return (status.success(), status.to_string()),
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Err(error) => return (false, error.to_string()),
            }
        }
        (false, "it closed its standard output and went on".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has left the group since the last look is known by its parent, while the parent runs.
        self.update(&list());
        self.tree.signal(Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The others have no parent any more, and the system ends them in its own time. The node's next process must not
        // start before that.
        let clock = Clock::start();
        while !self.tree.has_ended() && clock.now() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        // It stays if the node has left anything in it.
        let _ = fs::remove_dir(&self.directory);
    }
}

/// A line to be written, and when the bench gave it.
#[derive(Debug)]
struct Handed {
    line: Vec<u8>,
    at: Duration,
}

/// A node's process with its two threads.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    incarnation: u32,
    lines: SyncSender<Handed>,
    unfinished: Unfinished,
    log_copied: Receiver<Infallible>,
}

impl Child {
    pub(super) fn start(
        command: &NodeCommand,
        node: usize,
        incarnation: u32,
        told: &SyncSender<Told>,
        clock: Clock,
    ) -> Result<Self, BenchError> {
        let (process, pipes) = Process::start(command, node, incarnation > 1)?;
        let (copying, log_copied) = sync_channel(0);
        let (stdin, stdout) = pipes.copy_log((told.clone(), copying));
        let (lines, to_write) = sync_channel(1);
        let reader = Pipe { told: told.clone(), clock, node, incarnation };
        let writer = reader.clone();
        thread::spawn(move || writer.write_lines(stdin, &to_write));
        let unfinished = Unfinished::default();
        let stdout = unfinished.watch(stdout);
        thread::spawn(move || reader.read_lines(stdout));
        Ok(Self { process, incarnation, lines, unfinished, log_copied })
    }

    pub(super) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(super) fn update(&mut self, processes: &[Listed]) {
        self.process.update(processes);
    }

    pub(super) fn memory_kb(&self) -> Option<u64> {
        self.process.memory_kb()
    }

    pub(super) fn unfinished(&self) -> &Unfinished {
        &self.unfinished
    }

    /// Hands a line to the writing thread. The bench hands over one at a time, so there is always room.
    pub(super) fn hand(&self, line: Vec<u8>, at: Duration) {
        // A writer that is gone has met the end of the process: what comes now is lost with it.
        let _ = self.lines.try_send(Handed { line, at });
    }

    /// Sends a signal to all processes of the node.
    pub(super) fn signal(&self, signal: Signal) {
        self.process.tree.signal(signal);
    }

    /// Waits a moment for a process that has closed its output, and for the end of its log. Tells whether it ended well, and how.
    pub(super) fn end_after_close(&mut self) -> (bool, String) {
        let end = self.process.end_after_close();
        // Nothing is ever sent: the other side goes when all is copied. What the process has started may keep its log open.
        let _ = self.log_copied.recv_timeout(LOG_PATIENCE);
        end
    }
}

/// The pipe that a thread serves, and the channel to the bench.
#[derive(Clone)]
struct Pipe {
    told: SyncSender<Told>,
    clock: Clock,
    node: usize,
    incarnation: u32,
}

impl Pipe {
    /// Writes one line at a time, as Maelstrom does. A process that does not read blocks only this thread.
    fn write_lines(&self, mut stdin: ChildStdin, lines: &Receiver<Handed>) {
        let &Self { node, incarnation, .. } = self;
        for Handed { mut line, at } in lines {
            let waited = self.clock.now().saturating_sub(at);
            line.push(b'\n');
            // A closed pipe loses the line, as Maelstrom does; that the process has ended is the reader's news.
            let _ = stdin.write_all(&line);
            if self.told.send(Told::Accepted { node, incarnation, waited }).is_err() {
                return;
            }
        }
    }

    fn read_lines(&self, stdout: impl Read) {
        let &Self { node, incarnation, .. } = self;
        let mut reader = BufReader::with_capacity(1 << 16, stdout);
        while let Ok(Some(line)) = read_line(&mut reader) {
            let at = self.clock.now();
            if self.told.send(Told::Line { node, incarnation, line, at }).is_err() {
                return;
            }
        }
        let _ = self.told.send(Told::Closed { node, incarnation });
    }
}

/// The next line without its newline. A line that is too long is cut there. `None` at the end.
pub(super) fn read_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}
