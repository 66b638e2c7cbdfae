//! Requests to the store of a world, and their outcomes.

use replica::Input;
use replica::store::StoreRequest;

use super::ledger::{Checked, name};
use super::storage::{Asked, Next, Progress};
use super::{Event, World};

impl World {
    pub(super) fn ask_store(&mut self, request: Asked) -> Checked {
        self.note_calm();
        let (process, node, token) = (request.process, request.node, request.token);
        let seals = match &request.what {
            StoreRequest::Seal { node, .. } => Some(node.clone()),
            _ => None,
        };
        let told = |outcome| Event::Told(process, Input::Store { token, outcome });
        let Self { storage, records, plan, rng, .. } = self;
        match storage.arrive(request, records, (self.now, self.is_healed), plan, rng)? {
            Next::Tell(outcome, after) => self.schedule(self.now + after, told(outcome)),
            Next::Again(request, after) => self.schedule(self.now + after, Event::Store(request)),
            Next::Both(outcome, after, request, later) => {
                self.schedule(self.now + after, told(outcome));
                self.schedule(self.now + later, Event::Store(request));
            }
            Next::Nothing => {}
        }
        self.check_notes(node)?;
        seals.map_or(Ok(()), |node| self.may_be_forgotten(&node))
    }

    /// The store does what is due.
    pub(super) fn advance_store(&mut self) -> Checked {
        self.note_calm();
        let Self { storage, records, processes, .. } = self;
        let Progress { outcomes, changed } = storage.advance(self.now, records, processes)?;
        for node in changed {
            self.check_notes(node)?;
            self.may_be_forgotten(&name(node))?;
        }
        for (process, token, outcome) in outcomes {
            self.tell(process, Input::Store { token, outcome })?;
        }
        Ok(())
    }
}
