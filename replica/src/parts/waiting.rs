//! Clients that wait until this node shows, or its peers have, so much.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Parts;
use crate::clients::{Pending, Wait};
use crate::context::Context;
use crate::identity::{NodeId, ReplicaId};
use crate::seam::{Refusal, Reply, Until};

impl Parts {
    /// A client waits from now on. It is answered in a tick.
    pub(super) fn wait(&mut self, until: Until, pending: Pending, cx: &mut Context<'_>) {
        if self.clients.waits.is_full() {
            return cx.reply(pending.ticket, Err(Refusal::TooManyReads));
        }
        let survey = self.replication.survey_mut();
        let wait = match until {
            Until::Covers(versions) => Wait::Covers(versions),
            Until::AtLeast(counter, value) => Wait::AtLeast(counter, value),
            Until::AllTold => {
                survey.want_all(cx.now);
                Wait::AllTold(survey.number())
            }
            Until::Held { peers, number } => Wait::Held { peers, number },
        };
        if let Wait::Covers(versions) = &wait {
            // Whoever has counted it has it.
            for node in self.lacking(versions) {
                self.replication.survey_mut().want(node.as_str(), cx.now);
            }
        }
        self.clients.waits.push(wait, pending);
    }

    /// Answers those that wait no more.
    pub(super) fn answer_waits(&mut self, cx: &mut Context<'_>) {
        if self.clients.waits.is_empty() {
            return;
        }
        let mut waits = std::mem::take(&mut self.clients.waits);
        waits.answer(|wait| self.reached(wait), |wait| self.too_late(wait), cx);
        self.clients.waits = waits;
    }

    /// The answer to a request that waits no more.
    fn reached(&self, wait: &mut Wait) -> Option<Reply> {
        match wait {
            Wait::Covers(versions) => {
                while let Some(first) = versions.first_entry() {
                    if self.rows().version(first.key()) < *first.get() {
                        return None;
                    }
                    first.remove();
                }
                Some(Reply::Reached)
            }
            Wait::AtLeast(counter, value) => (self.rows().value(counter) >= *value).then_some(Reply::Reached),
            Wait::AllTold(number) => self.have_all_told_since(*number).then_some(Reply::Reached),
            Wait::Held { peers, number } => {
                let held = self.held(*number);
                // A node alone will never have a peer.
                (held >= *peers || self.peers().next().is_none()).then_some(Reply::Held(held))
            }
        }
    }

    /// The answer to a request whose time is up.
    fn too_late(&self, wait: &Wait) -> Reply {
        match wait {
            Wait::Covers(versions) => Reply::NotReached(self.lacking(versions).into_iter().collect()),
            Wait::AtLeast(..) => Reply::NotReached([].into()),
            Wait::AllTold(number) => {
                let untold = self.replication.survey().untold_since(*number);
                let unready = Some(self.replication.me()).filter(|_| !self.durability.has_recovered());
                let missing = untold.chain(self.replication.unasked()).chain(unready);
                Reply::NotReached(missing.cloned().collect())
            }
            Wait::Held { number, .. } => Reply::Held(self.held(*number)),
        }
    }

    /// Whether all that any node showed when it was asked after this question is shown here.
    fn have_all_told_since(&self, number: u64) -> bool {
        self.durability.has_recovered()
            && self.replication.unasked().next().is_none()
            && self.replication.survey().all_have_told_since(number)
    }

    /// The nodes of the rows that this one does not show at these versions.
    fn lacking(&self, versions: &BTreeMap<ReplicaId, u64>) -> BTreeSet<NodeId> {
        let lacks = versions.iter().filter(|(replica, version)| self.rows().version(*replica) < **version);
        lacks.map(|(replica, _)| replica.node().into()).collect()
    }

    /// How many peers are known to have the changes up to this number.
    fn held(&self, number: u64) -> usize {
        self.peers().filter(|peer| peer.covers >= Some(number)).count()
    }

    /// All that any node had acknowledged by this time is shown here.
    pub(crate) fn complete_as_of(&self) -> Option<Duration> {
        let is_certain = self.have_all_told_since(0);
        self.replication.survey().complete_as_of().filter(|_| is_certain)
    }
}
