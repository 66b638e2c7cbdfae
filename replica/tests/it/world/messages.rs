//! Messages between the processes of a world: lost, doubled, and late.

use std::time::Duration;

use rand::RngExt;
use replica::{AckPolicy, Claim, Frame, Input, NodeId, RowDelta};

use super::ledger::{Checked, name};
use super::storage::within;
use super::{Event, World};

/// A message on its way.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "the worlds of other crates send bytes")]
pub(crate) enum Sent {
    Frame(Frame),
    /// A frame, or a piece of one.
    Bytes(Vec<u8>),
    /// What a process says for all nodes to hear.
    Hello(Vec<u8>),
}

/// How frames become messages.
pub(crate) trait Wire {
    /// The messages that carry a frame from a process to a node.
    fn write(&mut self, from: usize, to: usize, frame: &Frame) -> Vec<Sent>;

    /// A message of a node has come to a process. The frame, if it completes one.
    fn read(&mut self, to: usize, from: usize, message: Sent) -> Option<Frame>;

    /// What a process of a node says when it starts, and after how long again. `None`: nothing.
    fn hello(&mut self, _process: usize, _node: usize) -> Option<(Sent, Duration)> {
        None
    }
}

/// A frame travels as it is.
pub(crate) struct AsTheyAre;

impl Wire for AsTheyAre {
    fn write(&mut self, _from: usize, _to: usize, frame: &Frame) -> Vec<Sent> {
        vec![Sent::Frame(frame.clone())]
    }

    fn read(&mut self, _to: usize, _from: usize, message: Sent) -> Option<Frame> {
        match message {
            Sent::Frame(frame) => Some(frame),
            Sent::Bytes(_) | Sent::Hello(_) => None,
        }
    }
}

impl World {
    pub(super) fn send(&mut self, process: usize, peer: &NodeId, frame: &Frame) -> Checked {
        self.check_quiet("a frame is sent")?;
        self.is_stored_if_it_says_so(&frame.claim)?;
        let from = self.processes[process].node;
        let Some(to) = (0..self.plan.nodes).find(|to| name(*to) == *peer) else {
            return Err(format!("a frame is sent to {peer}, which is not in the cluster"));
        };
        if !self.processes[process].roster.contains(peer) {
            return Err(format!("{} sends a frame to {peer}, which is not on its list", name(from)));
        }
        let mut delay = None;
        for message in self.wire.write(process, to, frame) {
            // What is sent at once comes in its order, once all faults have ended.
            delay = self.launch((from, to), &message, delay.filter(|_| self.is_healed));
        }
        Ok(())
    }

    /// A message is on its way for so long, or for some time that is returned. It may be lost, or come twice.
    fn launch(
        &mut self,
        (from, to): (usize, usize),
        message: &Sent,
        mut delay: Option<Duration>,
    ) -> Option<Duration> {
        let (loss, doubled) = if self.is_healed { (0.0, 0.0) } else { (self.plan.loss, self.plan.doubled) };
        if self.rng.random_bool(loss) {
            return delay;
        }
        for _ in 0..=usize::from(self.rng.random_bool(doubled)) {
            let after = delay.unwrap_or_else(|| within(self.plan.frame_delay, &mut self.rng));
            delay = delay.or(Some(after).filter(|_| self.is_healed));
            self.schedule(self.now + after, Event::Message { from, to, message: message.clone() });
        }
        delay
    }

    pub(super) fn deliver(&mut self, from: usize, to: usize, message: Sent) -> Checked {
        if self.sides.as_ref().is_some_and(|sides| sides[from] != sides[to]) {
            return Ok(());
        }
        let Some(process) = self.one_of(to) else { return Ok(()) };
        match self.wire.read(process, from, message) {
            Some(frame) => self.tell(process, Input::Peer { from: name(from), frame }),
            None => Ok(()),
        }
    }

    pub(super) fn say_hello(&mut self, process: usize) {
        let node = self.processes[process].node;
        if !self.processes[process].is_there() {
            return;
        }
        let Some((hello, again)) = self.wire.hello(process, node) else { return };
        for to in (0..self.plan.nodes).filter(|to| *to != node) {
            self.launch((node, to), &hello, None);
        }
        self.schedule(self.now + again, Event::Hello(process));
    }

    /// What a frame does not call unstored must be in the record of its node. (With `AckPolicy::Memory` nobody cares.)
    fn is_stored_if_it_says_so(&self, claim: &Claim) -> Checked {
        let is_stored = |row: &RowDelta| self.records.was_stored(row.actor(), row.upto());
        let is_told = |row: &&RowDelta| row.from() < row.upto() && !claim.unstored.contains(row.actor());
        let mut told = claim.rows.iter().filter(is_told);
        if self.plan.config.ack == AckPolicy::Memory || told.all(is_stored) {
            return Ok(());
        }
        Err("a peer is told of a count that it is stored, and it is not".into())
    }
}
