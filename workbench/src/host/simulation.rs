//! The host for state machines: virtual time, one thread, all determined by the plan's seed.

use std::collections::VecDeque;
use std::time::Duration;

use super::machine::{Machine, MachineFactory};
use crate::plan::Plan;
use crate::report::Report;
use crate::world::{Action, Event, World};

/// What a pipe holds while nobody reads it.
const PIPE: usize = 64 << 10;
/// How often in a row a machine may ask to be woken at a time that has come already.
const MAX_SPINS: u32 = 1000;

/// Runs a plan with nodes made by `factory`, in virtual time. The same plan and the same nodes give the same report.
///
/// A cluster that cannot be started has a report too, with [`Check::Init`](crate::Check::Init) broken.
///
/// # Panics
/// Where a machine panics.
pub fn simulate(plan: &Plan, factory: &mut dyn MachineFactory) -> Report {
    let slots = (0..plan.node_count).map(|_| Slot::default()).collect();
    let mut simulation =
        Simulation { world: World::new(plan), slots, factory, now: Duration::ZERO, out: Vec::new() };
    simulation.run();
    simulation.world.into_report()
}

struct Simulation<'a> {
    world: World,
    slots: Vec<Slot>,
    factory: &'a mut dyn MachineFactory,
    now: Duration,
    /// What a machine prints, kept for its memory only.
    out: Vec<u8>,
}

/// A place for a node's process.
#[derive(Default)]
struct Slot {
    machine: Option<Box<dyn Machine>>,
    incarnation: u32,
    is_paused: bool,
    /// Lines that a paused process has not read yet, and their bytes.
    pipe: VecDeque<Vec<u8>>,
    pipe_bytes: usize,
    /// The world waits to hear that there is room in the pipe.
    owes_acceptance: bool,
    is_to_end: bool,
    /// When the machine wants to be woken: asked after each call, not each time it matters.
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
        let machines = self.slots.iter().filter_map(Slot::next_wake);
        machines.chain(self.world.next_wake()).min()
    }

    fn wake_machines(&mut self) {
        for node in 0..self.slots.len() {
            if self.slots.get(node).and_then(Slot::next_wake).is_some_and(|at| at <= self.now) {
                self.wake_machine(node);
                self.note_wake(node);
            }
        }
    }

    /// Has a machine do what is due. It looks at its input before, unless it has not come to read what waits there.
    fn wake_machine(&mut self, node: usize) {
        let Some(slot) = self.slots.get_mut(node) else { return };
        let has_to_read = !slot.pipe.is_empty();
        self.call(node, |machine, now, out| {
            if !has_to_read {
                machine.looked(now, 0);
            }
            machine.wake(now, out);
        });
    }

    /// A machine that can't wait would stop the clock: it counts as a process that burns its CPU and is ended.
    fn note_wake(&mut self, node: usize) {
        let now = self.now;
        let Some(slot) = self.slots.get_mut(node) else { return };
        slot.spins = if slot.last_wake == now { slot.spins + 1 } else { 0 };
        slot.last_wake = now;
        if slot.spins > MAX_SPINS {
            slot.machine = None;
            let status = "it asked again and again to be woken at once".to_owned();
            let incarnation = slot.incarnation;
            self.world.handle(now, &Event::Exited { node, incarnation, is_clean: false, status });
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
                let machine = self.factory.start(self.now, node, seed);
                let wake_at = machine.next_wake();
                let fresh = Slot { machine: Some(machine), incarnation, wake_at, ..Slot::default() };
                if let Some(slot) = self.slots.get_mut(node) {
                    *slot = fresh;
                }
            }
            Action::Deliver { node, incarnation, line } => self.deliver(node, incarnation, line),
            Action::Kill { node } => {
                self.slots.get_mut(node).into_iter().for_each(|slot| slot.machine = None);
            }
            Action::Terminate { node } => self.terminate(node),
            Action::Pause { node } => {
                self.slots.get_mut(node).into_iter().for_each(|slot| slot.is_paused = true);
            }
            Action::Resume { node } => self.resume(node),
            // The timer goes off, and then there is no time to read.
            Action::Glimpse { node } => {
                let wake_at = self.slots.get(node).and_then(|slot| slot.wake_at);
                if wake_at.is_some_and(|at| at <= self.now) {
                    self.wake_machine(node);
                }
            }
        }
    }

    /// A paused process hears of the signal when it goes on.
    fn terminate(&mut self, node: usize) {
        match self.slots.get_mut(node) {
            Some(slot) if slot.is_paused => slot.is_to_end = true,
            _ => self.call(node, |machine, now, out| machine.terminate(now, out)),
        }
    }

    fn deliver(&mut self, node: usize, incarnation: u32, line: Vec<u8>) {
        let Some(slot) = self.slots.get_mut(node).filter(|slot| slot.incarnation == incarnation) else {
            return;
        };
        if slot.is_paused {
            slot.keep(line);
            if slot.owes_acceptance {
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
        let Some(slot) = self.slots.get_mut(node) else { return };
        slot.is_paused = false;
        slot.pipe_bytes = 0;
        let (incarnation, owed) = (slot.incarnation, std::mem::take(&mut slot.owes_acceptance));
        let is_to_end = std::mem::take(&mut slot.is_to_end);
        let pipe = std::mem::take(&mut slot.pipe);
        if is_to_end {
            self.terminate(node);
        }
        for line in pipe {
            self.call(node, |machine, now, out| read(machine, now, &line, out));
        }
        self.call(node, |machine, now, _| machine.looked(now, 0));
        if owed {
            self.world.handle(self.now, &Event::Accepted { node, incarnation });
        }
    }

    /// Calls a machine and passes on what it prints.
    fn call(&mut self, node: usize, act: impl FnOnce(&mut dyn Machine, Duration, &mut Vec<u8>)) {
        let Some(slot) = self.slots.get_mut(node) else { return };
        let incarnation = slot.incarnation;
        let Some(machine) = slot.machine.as_deref_mut() else { return };
        let mut out = std::mem::take(&mut self.out);
        act(machine, self.now, &mut out);
        let exited = machine.has_exited();
        slot.wake_at = machine.next_wake();
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.world.handle(self.now, &Event::Line { node, incarnation, line });
        }
        out.clear();
        self.out = out;
        if exited {
            self.end(node);
            self.world.handle(
                self.now,
                &Event::Exited { node, incarnation, is_clean: true, status: "exited".into() },
            );
        }
    }

    fn end(&mut self, node: usize) {
        if let Some(slot) = self.slots.get_mut(node) {
            slot.machine = None;
        }
    }
}

/// A machine reads a line.
fn read(machine: &mut dyn Machine, now: Duration, line: &[u8], out: &mut Vec<u8>) {
    machine.looked(now, line.len() + 1);
    machine.receive(now, line, out);
}

impl Slot {
    fn next_wake(&self) -> Option<Duration> {
        self.wake_at.filter(|_| self.machine.is_some() && !self.is_paused)
    }

    fn keep(&mut self, line: Vec<u8>) {
        self.pipe_bytes += line.len() + 1;
        self.pipe.push_back(line);
        self.owes_acceptance = self.pipe_bytes > PIPE;
    }
}
