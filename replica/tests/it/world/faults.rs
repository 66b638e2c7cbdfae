//! What goes wrong in a world, and how all of it is mended.

use rand::RngExt;
use replica::{Input, Replica};

use super::ledger::{Checked, name};
use super::plan::{Fault, Kind};
use super::process::{Phase, Process};
use super::storage::within;
use super::{Event, Sabotage, World};

impl World {
    pub(super) fn fault(&mut self, fault: Fault) -> Checked {
        self.note_calm();
        self.check_records()?;
        match fault {
            Fault::Start(node) => return self.start(node),
            Fault::Kill(node) => {
                if let Some(process) = self.one_of(node) {
                    self.end(process);
                }
            }
            Fault::KillAll => (0..self.processes.len()).for_each(|process| self.end(process)),
            Fault::End(node) => {
                if let Some(process) = self.one_of(node) {
                    return self.tell(process, Input::Shutdown);
                }
            }
            Fault::Close(node) => {
                if let Some(process) = self.one_of(node) {
                    return self.tell(process, Input::Closed);
                }
            }
            Fault::Pause(node, time) => {
                if let Some(process) = self.one_of(node).filter(|at| self.processes[*at].phase == Phase::Runs)
                {
                    self.processes[process].phase = Phase::Paused(self.now);
                    self.processes[process].was_paused = true;
                    self.schedule(self.now + time, Event::Resume(process));
                }
            }
            Fault::Cut(sides) => self.sides = Some(sides),
            Fault::Join => self.sides = None,
            Fault::StoreFails(outage) => self.storage.fail(outage, self.now),
            Fault::StoreRecovers => self.recover_store(),
            Fault::Back(node) => self.go_back(node),
            Fault::List(node) => self.put_on_list(node, true),
            Fault::Unlist(node) => self.put_on_list(node, false),
            Fault::Forget(node) => return self.ask_to_forget(node),
            Fault::Export(node) => self.export(node),
            Fault::Import(node) => return self.import(node),
        }
        Ok(())
    }

    pub(super) fn recover_store(&mut self) {
        for request in self.storage.recover(self.now) {
            let at = self.now + within(self.plan.store_delay, &mut self.rng);
            self.schedule(at, Event::Store(request));
        }
    }

    pub(super) fn start(&mut self, node: usize) -> Checked {
        if self.plan.has(Kind::Backs) {
            self.running(node).into_iter().for_each(|other| self.end(other));
        }
        let others = self.running(node);
        let seed = match self.sabotage {
            Sabotage::ReusesReplica => node as u64,
            _ => self.rng.random(),
        };
        let replica = Replica::new(&self.plan.config, name(node), seed);
        let process = self.processes.len();
        self.processes.push(Process::new(node, replica, self.now));
        self.processes[process].is_alone = others.is_empty();
        for other in others {
            self.processes[other].is_alone = false;
        }
        self.say_hello(process);
        self.tell(process, Input::Roster(self.list()))
    }

    pub(super) fn end(&mut self, process: usize) {
        self.note_calm();
        self.processes[process].phase = Phase::Gone;
        if self.plan.has(Kind::Backs) {
            self.lose_relays(process);
            let (ledger, view) = self.ledger_and_view();
            ledger.note_losses(&view);
        }
    }

    /// All faults end. One process of each node on the list runs on, or, if all are to crash, starts. One that has run
    /// beside another may not know what that one has stored: it starts anew too. So does one whose node was forgotten.
    pub(super) fn heal(&mut self) -> Checked {
        self.is_healed = true;
        self.sides = None;
        self.storage.heal();
        self.recover_store();
        for node in 0..self.plan.nodes {
            let stays = |at: &usize| {
                let it = &self.processes[*at];
                let may_stay = self.listed[node] && !self.plan.crashes_at_last;
                may_stay && !it.is_ending && it.is_alone
            };
            let keeper = self.running(node).into_iter().rfind(stays);
            for process in self.running(node) {
                if keeper != Some(process) {
                    self.end(process);
                }
            }
            match keeper {
                Some(process) => {
                    self.resume(process)?;
                    self.tell(process, Input::Roster(self.list()))?;
                }
                None if self.listed[node] => self.start(node)?,
                None => {}
            }
        }
        self.forget_unlisted()
    }
}
