//! A process of another node: it holds the folding node's rows.

use crate::frame::{Frame, Reply};
use crate::rows::Rows;
use crate::setup::{Bug, Setup};

/// A process of a peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Peer {
    pub(crate) node: u8,
    /// Which of its node's processes it is.
    pub(crate) process: u8,
    pub(crate) rows: Rows,
    /// The largest seal that it has heard.
    pub(crate) seal: u8,
    pub(crate) has_recovered: bool,
    /// It has confirmed the rows below this seal.
    pub(crate) confirmed: u8,
}

impl Peer {
    pub(crate) fn new(node: u8, process: u8) -> Self {
        Self { node, process, rows: Rows::default(), seal: 0, has_recovered: process == 0, confirmed: 0 }
    }

    /// Handles a frame that comes directly from a process of the folding node.
    pub(crate) fn hear(&mut self, frame: &Frame, setup: &Setup) -> Option<Reply> {
        if !self.has_recovered && setup.bug != Some(Bug::AnswersUnrecovered) {
            return None;
        }
        let by_process = setup.bug == Some(Bug::SealsByProcess);
        let number = if by_process { frame.process } else { frame.replica };
        if number < self.seal && setup.bug != Some(Bug::TakesFromBelow) {
            return None;
        }
        self.seal = self.seal.max(frame.seal);
        let asked = frame.rows.below(frame.seal);
        self.merge(&frame.rows, frame.seal, setup);
        let is_same = self.rows.below(frame.seal) == asked || setup.bug == Some(Bug::ConfirmsAnything);
        if frame.all_answered && is_same || setup.amended.settles {
            self.confirmed = self.confirmed.max(frame.seal);
        }
        let hides = setup.bug == Some(Bug::ConfirmsAnything) && frame.all_answered;
        Some(Reply {
            node: self.node,
            process: self.process,
            to: frame.process,
            seal: frame.seal,
            confirms: (frame.all_answered && is_same).then_some(asked),
            rows: if hides { Rows::default() } else { self.rows },
            held: frame.rows.get(frame.replica).count,
        })
    }

    /// Merges rows, wherever they come from. `seal` is that of the sender, if it is the sealer.
    pub(crate) fn merge(&mut self, rows: &Rows, seal: u8, setup: &Setup) {
        let mut rows = *rows;
        if setup.amended.settles && seal < self.confirmed {
            // A row that was confirmed is settled. What else is said of it can only be what a dead process has said.
            rows = rows.from(self.confirmed);
        }
        if setup.bug == Some(Bug::MergedBelowFloor) {
            self.rows.merge_also_below(&rows);
        } else {
            self.rows.merge(&rows);
        }
    }
}
