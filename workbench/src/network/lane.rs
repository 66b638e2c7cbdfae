//! One receiver's way in: Maelstrom's head-of-line delivery.

use std::collections::BinaryHeap;
use std::time::Duration;

use super::packet::{Packet, Queued};

/// A queue with a single deliverer, who takes the message with the earliest deadline and sleeps until it is due.
///
/// While he sleeps nothing else is delivered, not even what would be due sooner: server traffic delays clients.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    queue: BinaryHeap<Queued>,
    in_hand: Option<Queued>,
    busy: bool,
}

/// What a deliverer has to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Hand over this packet.
    Now(Packet),
    /// Come back at that time.
    Later(Duration),
    /// Nothing to do until something is sent, or the receiver has taken what he was handed.
    Idle,
}

impl Lane {
    pub(crate) fn push(&mut self, queued: Queued) {
        self.queue.push(queued);
    }

    /// Goes on delivering at time `now`; `is_cut` tells whether a packet is to be dropped as its turn comes.
    pub(crate) fn poll(&mut self, now: Duration, is_cut: impl Fn(&Packet) -> bool) -> Delivery {
        if self.busy {
            return Delivery::Idle;
        }
        let taken = self.in_hand.take().or_else(|| self.take(&is_cut));
        match taken {
            None => Delivery::Idle,
            Some(queued) if queued.deadline <= now => Delivery::Now(queued.packet),
            Some(queued) => {
                let due = queued.deadline;
                self.in_hand = Some(queued);
                Delivery::Later(due)
            }
        }
    }

    /// The receiver is slow: deliver nothing until he is [`ready`](Self::ready).
    pub(crate) fn wait(&mut self) {
        self.busy = true;
    }

    pub(crate) fn ready(&mut self) {
        self.busy = false;
    }

    /// Partitions are looked at here, when a packet's turn comes, and not again when it is due.
    fn take(&mut self, is_cut: impl Fn(&Packet) -> bool) -> Option<Queued> {
        loop {
            let queued = self.queue.pop()?;
            if !is_cut(&queued.packet) {
                return Some(queued);
            }
        }
    }
}
