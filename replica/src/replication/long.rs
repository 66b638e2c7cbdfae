//! Long rows: what is too long for one frame.
//!
//! A frame takes short rows, as many as fit. A row that does not fit into a frame of its own travels in parts, one a frame. All
//! parts are cut at once, so they are of one version. The receiver merges them together: a part alone would be a row that is not
//! exact. That the peer has merged them is known only once it says which version it has.

use std::collections::VecDeque;

use tracing::debug;

use crate::config::MOST_COLLECTED;
use crate::identity::ReplicaId;
use crate::tally::{Part, RowDelta};

/// The parts of a row that a peer has yet to confirm.
#[derive(Debug, Clone, Default)]
pub(super) struct Outgoing(VecDeque<Part>);

impl Outgoing {
    /// The replica whose row is on its way.
    pub(super) fn replica(&self) -> Option<&ReplicaId> {
        self.0.front().map(|part| part.delta().actor())
    }

    /// The next part.
    pub(super) fn next(&self) -> Option<&Part> {
        self.0.front()
    }

    /// The peer has confirmed this part.
    pub(super) fn confirmed(&mut self, part: &Part) {
        self.0.pop_front_if(|next| next == part);
    }

    /// Sends no more parts of the row, if the peer has covered it.
    pub(super) fn end_if(&mut self, is_covered: impl Fn(&RowDelta) -> bool) {
        if self.0.front().is_some_and(|part| is_covered(part.delta())) {
            self.0.clear();
        }
    }

    /// Takes out the rows that have no room among `most` bytes. If no row is on its way, the first that is too long for any frame is
    /// from now on.
    pub(super) fn fit(&mut self, rows: &mut Vec<RowDelta>, most: usize) {
        let mut left = most;
        let mut too_long = None;
        rows.retain(|row| {
            let size = row.size();
            let fits = size <= left;
            left -= if fits { size } else { 0 };
            if size > most && too_long.is_none() {
                too_long = Some(row.clone());
            }
            fits
        });
        if let (Some(row), true) = (too_long, self.0.is_empty()) {
            self.0 = row.split(most).into();
        }
    }
}

/// The parts of a row that a peer has sent so far.
#[derive(Debug, Clone)]
pub(super) struct Incoming(crdt::named::Assembly<ReplicaId>);

impl Default for Incoming {
    fn default() -> Self {
        Self(crdt::named::Assembly::new(MOST_COLLECTED))
    }
}

impl Incoming {
    /// Takes in a part. Returns the row with the last one.
    pub(super) fn take(&mut self, part: Part) -> Option<RowDelta> {
        match self.0.accept(part) {
            Ok(row) => row,
            Err(error) => {
                debug!(%error, "a part of a row is ignored");
                None
            }
        }
    }
}
