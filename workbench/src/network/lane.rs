//! The lane of one receiver: Maelstrom's head-of-line delivery.

use std::collections::BinaryHeap;
use std::time::Duration;

use super::packet::{Packet, Queued};

/// A queue with a single deliverer. It picks the message with the earliest deadline and sleeps until that is due.
///
/// While it sleeps it delivers nothing else, not even a message that would be due sooner. So server traffic delays clients.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    queue: BinaryHeap<Queued>,
    in_hand: Option<Queued>,
    busy: bool,
}

/// The next step of a deliverer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Hand over this packet.
    Now(Packet),
    /// Come back at that time. This is said once for each message.
    Later(Duration),
    /// Nothing to do until a time that was told before, until a message is sent, or until the receiver has accepted the last
    /// one.
    Idle,
}

impl Lane {
    pub(crate) fn push(&mut self, queued: Queued) {
        self.queue.push(queued);
    }

    /// The next step at time `now`. `is_cut` says whether to drop a packet when its turn comes.
    pub(crate) fn poll(&mut self, now: Duration, is_cut: impl Fn(&Packet) -> bool) -> Delivery {
        if self.busy {
            return Delivery::Idle;
        }
        if let Some(in_hand) = self.in_hand.take_if(|queued| queued.deadline <= now) {
            return Delivery::Now(in_hand.packet);
        }
        if self.in_hand.is_some() {
            return Delivery::Idle;
        }
        match self.take(&is_cut) {
            None => Delivery::Idle,
            Some(queued) if queued.deadline <= now => Delivery::Now(queued.packet),
            Some(queued) => {
                let due = queued.deadline;
                self.in_hand = Some(queued);
                Delivery::Later(due)
            }
        }
    }

    /// Delivers nothing until the receiver is [`ready`](Self::ready).
    pub(crate) fn wait(&mut self) {
        self.busy = true;
    }

    pub(crate) fn ready(&mut self) {
        self.busy = false;
    }

    /// Takes the next packet. It checks partitions now, when the packet's turn comes, and not again when it is due.
    fn take(&mut self, is_cut: impl Fn(&Packet) -> bool) -> Option<Queued> {
        loop {
            let queued = self.queue.pop()?;
            if !is_cut(&queued.packet) {
                return Some(queued);
            }
        }
    }
}
