//! The host for child processes: the wall clock, pipes, signals.

mod advice;
mod child;
mod clock;
mod flood;
mod interrupt;
mod log;
mod tree;
mod unfinished;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rustix::process::Signal;

pub(crate) use self::advice::advice;
use self::child::Child;
pub(crate) use self::clock::Clock;
#[cfg(feature = "cli")]
pub(crate) use self::clock::{for_file_names, now};
pub use self::flood::{FloodPlan, FloodReport, flood_process};
pub(crate) use self::interrupt::Interrupt;

use crate::error::BenchError;
use crate::plan::Plan;
use crate::report::{NodeUsage, OverheadRecorder, Report};
use crate::world::{Action, End, Event, World};

/// How many events may wait for the bench. When there are more, the threads stop reading.
const EVENTS: usize = 4096;
/// How long the bench sleeps at most before it looks for Ctrl-C and reports progress.
const GLANCE: Duration = Duration::from_millis(100);
/// How long the bench waits for the last output of processes that have ended.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bench looks up which processes belong to which node. That reads all of `/proc`: 1 ms for 100 processes.
const LOOK_UP: Duration = Duration::from_secs(1);
/// Before it signals a node the bench looks again, unless the last look was within this time.
const FRESH: Duration = Duration::from_millis(20);

/// How to start a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCommand {
    /// The program: its full path, for nodes run in directories of their own. A name alone is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The directory for the nodes' files. It is made if it does not exist.
    ///
    /// `n0.log` and so on has a node's standard error, the first 256 MiB of each process. `n0/` and so on is the directory
    /// in which a node's processes run, one after the other. It is removed if it is empty in the end.
    pub directory: PathBuf,
}

impl NodeCommand {
    fn log(&self, node: usize) -> PathBuf {
        self.directory.join(format!("n{node}.log"))
    }

    fn create_directory(&self) -> Result<(), BenchError> {
        std::fs::create_dir_all(&self.directory)
            .map_err(BenchError::io(format!("cannot make {}", self.directory.display())))
    }

    /// The error for a node that did not answer `init`, with the end of its log and advice about its program.
    fn setup_error(&self, node: usize, text: String) -> BenchError {
        let log = log::tail(&self.log(node));
        BenchError::Setup { node, text, log, advice: advice(&self.program, None) }
    }
}

/// A message from a child's threads to the bench.
#[derive(Debug)]
pub(crate) enum Told {
    Line {
        node: usize,
        incarnation: u32,
        line: Vec<u8>,
        /// When it was read.
        at: Duration,
    },
    Accepted {
        node: usize,
        incarnation: u32,
        /// How long the line waited until the writing began.
        waited: Duration,
    },
    /// Standard output is closed.
    Closed { node: usize, incarnation: u32 },
}

/// The progress of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Time since the start.
    pub elapsed: Duration,
    /// About how long the whole run takes.
    pub expected: Duration,
    /// The present phase.
    pub phase: &'static str,
    /// Operations so far.
    pub operations: usize,
    /// The present faults.
    pub faults: String,
    /// Rules broken so far.
    pub violations: u64,
    /// The findings since the last call, one a line. At most ten of each kind are told.
    pub findings: Vec<String>,
}

/// Runs a plan with each node a child process, on the wall clock. `progress` is called about ten times a second.
///
/// No child outlives this call, whatever happens: SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal is closed), SIGQUIT and
/// panics included.
///
/// A run that is broken off by one of these signals has a report too, marked as [`interrupted`](Report::interrupted).
///
/// # Errors
/// If the program can't be started, or does not answer `init`.
pub fn run_processes(
    plan: &Plan,
    command: &NodeCommand,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Report, BenchError> {
    command.create_directory()?;
    let interrupt = Interrupt::watch()?;
    let (sender, events) = sync_channel(EVENTS);
    let usage = (0..plan.nodes().end).map(|node| usage_of(command, node)).collect();
    let children = (0..plan.nodes().end).map(|_| None).collect();
    let clock = Clock::start();
    let world = World::new(plan);
    let overhead = OverheadRecorder::default();
    let mut host = ProcessHost {
        world,
        command,
        children,
        usage,
        sender,
        events,
        clock,
        looked_up: None,
        interrupt,
        overhead,
    };
    host.run(plan, progress)?;
    host.finish()
}

fn usage_of(command: &NodeCommand, node: usize) -> NodeUsage {
    let log = command.log(node).display().to_string();
    NodeUsage { node: format!("n{node}"), log: Some(log), ..NodeUsage::default() }
}

/// Waits until the children's threads have ended, so that the logs are complete. The wait is bounded, for another process
/// may keep a pipe open.
fn wait_for_threads(events: &Receiver<Told>, clock: Clock) {
    let until = clock.now() + PATIENCE;
    while clock.now() < until && events.recv_timeout(until.saturating_sub(clock.now())).is_ok() {}
}

struct ProcessHost<'a> {
    world: World,
    command: &'a NodeCommand,
    children: Vec<Option<Child>>,
    usage: Vec<NodeUsage>,
    sender: SyncSender<Told>,
    events: Receiver<Told>,
    clock: Clock,
    /// When it last looked up the nodes' processes.
    looked_up: Option<Duration>,
    interrupt: Interrupt,
    overhead: OverheadRecorder,
}

impl ProcessHost<'_> {
    fn run(&mut self, plan: &Plan, progress: &mut dyn FnMut(&Progress)) -> Result<(), BenchError> {
        let mut next_glance = Duration::ZERO;
        loop {
            self.perform_actions()?;
            if self.world.is_done() || self.interrupt.is_set() {
                return Ok(());
            }
            let now = self.clock.now();
            if now >= next_glance {
                next_glance = now + GLANCE;
                self.glance(plan, now, progress);
            }
            self.wait(next_glance);
        }
    }

    /// Sleeps until an event comes or something is due, and hands it to the world.
    fn wait(&mut self, next_glance: Duration) {
        let wake = self.world.next_wake().unwrap_or(Duration::MAX).min(next_glance);
        let sleep = wake.saturating_sub(self.clock.now());
        match self.events.recv_timeout(sleep) {
            Ok(told) => self.tell(told),
            // This host holds a sender itself, so that the channel cannot close.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let now = self.clock.now();
        if let Some(due) = self.world.next_wake().filter(|due| *due <= now) {
            self.overhead.late.record(now.saturating_sub(due));
            self.world.wake(now);
        }
    }

    fn tell(&mut self, told: Told) {
        let now = self.clock.now();
        match told {
            Told::Line { node, incarnation, line, at } => {
                self.world.handle(now, &Event::Line { node, incarnation, line: &line });
                self.overhead.reading.record(self.clock.now().saturating_sub(at));
            }
            Told::Accepted { node, incarnation, waited } => {
                self.overhead.writing.record(waited);
                self.world.handle(now, &Event::Accepted { node, incarnation });
            }
            Told::Closed { node, incarnation } => self.closed(now, node, incarnation),
        }
    }

    /// Ends a process that has closed its output: it has ended already, or is useless.
    fn closed(&mut self, now: Duration, node: usize, incarnation: u32) {
        let Some(place) = self.children.get_mut(node) else { return };
        let Some(mut child) = place.take_if(|child| child.incarnation() == incarnation) else { return };
        let (is_clean, status) = child.end_after_close();
        let end = End { is_clean, status, log: log::tail(&self.command.log(node)) };
        self.world.handle(now, &Event::Exited { node, incarnation, end });
    }

    fn glance(&mut self, plan: &Plan, now: Duration, progress: &mut dyn FnMut(&Progress)) {
        self.look_up(LOOK_UP);
        self.measure();
        let status = self.world.status();
        let expected = plan.time_limit + plan.final_wait + plan.silence.unwrap_or_default() + plan.stagger;
        progress(&Progress {
            elapsed: now,
            expected,
            phase: status.phase,
            operations: status.operations,
            faults: status.faults,
            violations: status.violations,
            findings: self.world.findings(),
        });
    }

    /// Looks up the nodes' processes, unless the last look was within that time.
    fn look_up(&mut self, fresh: Duration) {
        let now = self.clock.now();
        if self.looked_up.is_some_and(|at| now < at + fresh) {
            return;
        }
        self.looked_up = Some(now);
        let processes = tree::list();
        self.children.iter_mut().flatten().for_each(|child| child.update(&processes));
    }

    fn measure(&mut self) {
        for (child, usage) in self.children.iter().zip(&mut self.usage) {
            if let Some(child) = child {
                usage.max_rss_kb = usage.max_rss_kb.max(child.memory_kb());
            }
        }
    }

    fn perform_actions(&mut self) -> Result<(), BenchError> {
        while let Some(action) = self.world.next_action() {
            self.perform(action)?;
        }
        Ok(())
    }

    fn perform(&mut self, action: Action) -> Result<(), BenchError> {
        match action {
            Action::Start { node, incarnation, .. } => self.start(node, incarnation)?,
            Action::Deliver { node, incarnation, line } => self.deliver(node, incarnation, line),
            Action::Kill { node } => {
                self.look_up(FRESH);
                self.measure();
                if let Some(place) = self.children.get_mut(node) {
                    *place = None;
                }
            }
            Action::Terminate { node } => self.signal(node, Signal::TERM),
            Action::Pause { node } => self.signal(node, Signal::STOP),
            Action::Resume { node } => self.signal(node, Signal::CONT),
            Action::Glimpse { node } => {
                self.signal(node, Signal::CONT);
                self.signal(node, Signal::STOP);
            }
        }
        Ok(())
    }

    fn signal(&mut self, node: usize, signal: Signal) {
        self.look_up(FRESH);
        if let Some(child) = self.child(node) {
            child.signal(signal);
        }
    }

    fn child(&self, node: usize) -> Option<&Child> {
        self.children.get(node).and_then(Option::as_ref)
    }

    fn start(&mut self, node: usize, incarnation: u32) -> Result<(), BenchError> {
        let child = Child::start(self.command, node, incarnation, &self.sender, self.clock)?;
        if let (Some(place), Some(usage)) = (self.children.get_mut(node), self.usage.get_mut(node)) {
            *place = Some(child);
            usage.incarnations = incarnation;
        }
        Ok(())
    }

    fn deliver(&mut self, node: usize, incarnation: u32, line: Vec<u8>) {
        if let Some(child) = self.child(node).filter(|child| child.incarnation() == incarnation) {
            child.hand(line, self.clock.now());
        }
    }

    fn finish(mut self) -> Result<Report, BenchError> {
        self.look_up(Duration::ZERO);
        self.measure();
        let failure = self.world.setup_failure();
        let note =
            failure.and_then(|failure| self.child(failure.node)).map(|child| child.unfinished().note());
        self.children.clear();
        drop(self.sender);
        wait_for_threads(&self.events, self.clock);
        if let Some(failure) = self.world.setup_failure() {
            let text = format!("{}{}", failure.text, note.unwrap_or_default());
            return Err(self.command.setup_error(failure.node, text));
        }
        let interrupted = !self.world.is_done();
        let mut report = self.world.into_report();
        report.interrupted = interrupted;
        report.overhead = Some(self.overhead.overhead());
        self.usage.retain(|usage| usage.incarnations > 0);
        report.add_usage(self.usage);
        Ok(report)
    }
}
