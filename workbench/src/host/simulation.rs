//! The host for state machines: virtual time and one thread. The plan's seed determines everything.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use super::machine::{Machine, MachineFactory};
use crate::plan::Plan;
use crate::report::Report;
use crate::world::{Action, End, Event, World};

/// How many bytes a pipe holds while its reader is paused.
const PIPE: usize = 64 << 10;
/// How often in a row a machine may ask to be woken at a time that has come already.
const MAX_SPINS: u32 = 1000;

/// A moment in a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedMoment {
    /// The time since the start of the run.
    pub at: Duration,
    /// The index of the node that runs: 0 for `n0`.
    pub node: usize,
}

thread_local! {
    static MOMENT: Cell<Option<SimulatedMoment>> = const { Cell::new(None) };
}

/// Which node of a simulation this thread runs at present, and the virtual time. `None` outside of a machine.
///
/// It is for the node's log: a line can begin with this instead of the time of day.
pub fn simulated_moment() -> Option<SimulatedMoment> {
    MOMENT.get()
}

/// The span in which a machine runs.
struct Running;

impl Running {
    fn begin(at: Duration, node: usize) -> Self {
        MOMENT.set(Some(SimulatedMoment { at, node }));
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        MOMENT.set(None);
    }
}

/// Runs a plan with nodes made by `factory`, in virtual time. The same plan and the same nodes give the same report.
///
/// A cluster that cannot be started has a report too, with [`Check::Init`](crate::Check::Init) broken.
///
/// # Panics
/// Where a machine panics.
pub fn simulate(plan: &Plan, factory: &mut dyn MachineFactory) -> Report {
    let processes = (0..plan.nodes().end).map(|_| Process::default()).collect();
    let mut simulation =
        Simulation { world: World::new(plan), processes, factory, now: Duration::ZERO, out: Vec::new() };
    simulation.run();
    simulation.world.into_report()
}

struct Simulation<'a> {
    world: World,
    processes: Vec<Process>,
    factory: &'a mut dyn MachineFactory,
    now: Duration,
    /// A buffer for the output of machines, kept so that it need not be allocated each time.
    out: Vec<u8>,
}

/// A node's present process, with its pipe.
#[derive(Default)]
struct Process {
    machine: Option<Box<dyn Machine>>,
    incarnation: u32,
    is_paused: bool,
    /// Lines that a paused process has not read yet, and their bytes.
    pipe: VecDeque<Vec<u8>>,
    pipe_bytes: usize,
    /// Whether the world waits for room in the pipe.
    is_full: bool,
    is_to_end: bool,
    /// When the machine wants to be woken, as it said after its last call.
    wake_at: Option<Duration>,
    spins: u32,
    last_wake: Duration,
}

impl Simulation<'_> {
    fn run(&mut self) {
        loop {
            self.perform_actions();
            if self.world.is_done() {
                return;
            }
            let Some(next) = self.next_wake() else { return };
            self.now = next.max(self.now);
            self.wake_machines();
            self.world.wake(self.now);
        }
    }

    fn next_wake(&self) -> Option<Duration> {
        let machines = self.processes.iter().filter_map(Process::next_wake);
        machines.chain(self.world.next_wake()).min()
    }

    fn wake_machines(&mut self) {
        for node in 0..self.processes.len() {
            if self.processes.get(node).and_then(Process::next_wake).is_some_and(|at| at <= self.now) {
                self.wake_machine(node);
                self.note_wake(node);
            }
        }
    }

    /// Lets a machine do what is due. It looks at its input first, unless lines wait there that it has not read.
    fn wake_machine(&mut self, node: usize) {
        let Some(process) = self.processes.get_mut(node) else { return };
        let has_to_read = !process.pipe.is_empty();
        self.call(node, |machine, now, out| {
            if !has_to_read {
                machine.looked(now, 0);
            }
            machine.wake(now, out);
        });
    }

    /// Ends a machine that asks again and again to be woken at once: it would stop the clock.
    fn note_wake(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.processes.get_mut(node) else { return };
        process.spins = if process.last_wake == now { process.spins + 1 } else { 0 };
        process.last_wake = now;
        if process.spins > MAX_SPINS {
            process.machine = None;
            let status = "it asked again and again to be woken at once".to_owned();
            let incarnation = process.incarnation;
            let end = End { is_clean: false, status, log: String::new() };
            self.world.handle(now, &Event::Exited { node, incarnation, end });
            self.perform_actions();
        }
    }

    fn perform_actions(&mut self) {
        while let Some(action) = self.world.next_action() {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start { node, incarnation, seed } => {
                let running = Running::begin(self.now, node);
                let machine = self.factory.start(self.now, node, seed);
                drop(running);
                let wake_at = machine.next_wake();
                let fresh = Process { machine: Some(machine), incarnation, wake_at, ..Process::default() };
                if let Some(process) = self.processes.get_mut(node) {
                    *process = fresh;
                }
            }
            Action::Deliver { node, incarnation, line } => self.deliver(node, incarnation, line),
            Action::Kill { node } => {
                self.processes.get_mut(node).into_iter().for_each(|process| process.machine = None);
            }
            Action::Terminate { node } => self.terminate(node),
            Action::Pause { node } => {
                self.processes.get_mut(node).into_iter().for_each(|process| process.is_paused = true);
            }
            Action::Resume { node } => self.resume(node),
            // The timer fires, and there is no time to read.
            Action::Glimpse { node } => {
                let wake_at = self.processes.get(node).and_then(|process| process.wake_at);
                if wake_at.is_some_and(|at| at <= self.now) {
                    self.wake_machine(node);
                }
            }
        }
    }

    /// Tells a process to end. A paused one gets the signal when it is resumed.
    fn terminate(&mut self, node: usize) {
        match self.processes.get_mut(node) {
            Some(process) if process.is_paused => process.is_to_end = true,
            _ => self.call(node, |machine, now, out| machine.terminate(now, out)),
        }
    }

    fn deliver(&mut self, node: usize, incarnation: u32, line: Vec<u8>) {
        let Some(process) = self.processes.get_mut(node).filter(|process| process.incarnation == incarnation)
        else {
            return;
        };
        if process.is_paused {
            process.keep(line);
            if process.is_full {
                return;
            }
        } else {
            self.call(node, |machine, now, out| {
                read(machine, now, &line, out);
                machine.looked(now, 0);
            });
        }
        self.world.handle(self.now, &Event::Accepted { node, incarnation });
    }

    fn resume(&mut self, node: usize) {
        let Some(process) = self.processes.get_mut(node) else { return };
        process.is_paused = false;
        process.pipe_bytes = 0;
        let (incarnation, was_full) = (process.incarnation, std::mem::take(&mut process.is_full));
        let is_to_end = std::mem::take(&mut process.is_to_end);
        let pipe = std::mem::take(&mut process.pipe);
        if is_to_end {
            self.terminate(node);
        }
        for line in pipe {
            self.call(node, |machine, now, out| read(machine, now, &line, out));
        }
        self.call(node, |machine, now, _| machine.looked(now, 0));
        if was_full {
            self.world.handle(self.now, &Event::Accepted { node, incarnation });
        }
    }

    /// Calls a machine and passes on its output.
    fn call(&mut self, node: usize, act: impl FnOnce(&mut dyn Machine, Duration, &mut Vec<u8>)) {
        let Some(process) = self.processes.get_mut(node) else { return };
        let incarnation = process.incarnation;
        let Some(machine) = process.machine.as_deref_mut() else { return };
        let mut out = std::mem::take(&mut self.out);
        let running = Running::begin(self.now, node);
        act(machine, self.now, &mut out);
        drop(running);
        let exited = machine.has_exited();
        process.wake_at = machine.next_wake();
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.world.handle(self.now, &Event::Line { node, incarnation, line });
        }
        out.clear();
        self.out = out;
        if exited {
            self.end(node);
            let end = End { is_clean: true, status: "exited".into(), log: String::new() };
            self.world.handle(self.now, &Event::Exited { node, incarnation, end });
        }
    }

    fn end(&mut self, node: usize) {
        if let Some(process) = self.processes.get_mut(node) {
            process.machine = None;
        }
    }
}

/// Lets a machine look at its input and read a line.
fn read(machine: &mut dyn Machine, now: Duration, line: &[u8], out: &mut Vec<u8>) {
    machine.looked(now, line.len() + 1);
    machine.receive(now, line, out);
}

impl Process {
    fn next_wake(&self) -> Option<Duration> {
        self.wake_at.filter(|_| self.machine.is_some() && !self.is_paused)
    }

    fn keep(&mut self, line: Vec<u8>) {
        self.pipe_bytes += line.len() + 1;
        self.pipe.push_back(line);
        self.is_full = self.pipe_bytes > PIPE;
    }
}
