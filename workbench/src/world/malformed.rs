//! Malformed lines, handed to nodes while clients run.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;

use super::World;
use super::clients::Role;

use crate::check::Check;
use crate::endpoint::Endpoint;
use crate::garbage::{Expected, Garbage};
use crate::network::{Content, Packet};
use crate::plan::Plan;
use crate::reply::{Reply, ReplyContent};
use crate::seeds::Random;
use crate::workload::INIT;

/// The malformed lines that were sent, and the answers that they must get.
#[derive(Debug)]
pub(crate) struct Malformed {
    remaining: u32,
    sent: u32,
    gap: Duration,
    due: Duration,
    client: u64,
    /// The answer awaited to each request.
    awaited: BTreeMap<u64, Awaited>,
    random: Random,
}

#[derive(Debug)]
struct Awaited {
    node: usize,
    expected: Expected,
    /// A short form of the line.
    line: String,
}

impl Malformed {
    pub(crate) fn new(plan: &Plan, random: Random) -> Self {
        let awaited = BTreeMap::new();
        let gap = plan.time_limit.mul_f64(0.8) / plan.malformed.max(1);
        Self { remaining: plan.malformed, sent: 0, gap, due: Duration::MAX, client: 0, awaited, random }
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        (self.remaining > 0).then_some(self.due)
    }
}

impl World {
    /// Spreads the lines over the middle of the run.
    pub(super) fn begin_malformed(&mut self, now: Duration) {
        if self.malformed.remaining > 0 {
            self.malformed.client = self.clients.join(Role::Malformed);
            self.malformed.due = now + self.plan.time_limit.mul_f64(0.1);
        }
    }

    pub(super) fn send_malformed(&mut self, now: Duration) {
        while self.malformed.due().is_some_and(|due| due <= now) {
            self.malformed.due += self.malformed.gap;
            self.malformed.remaining -= 1;
            let node = self.malformed.random.random_range(self.plan.nodes());
            self.send_garbage(now, node);
        }
    }

    fn send_garbage(&mut self, now: Duration, index: usize) {
        let number = self.malformed.sent;
        self.malformed.sent += 1;
        let (src, dest) = (Endpoint::Client(self.malformed.client), Endpoint::Node(index));
        let garbage = Garbage::draw(number, self.plan.workload, src, dest, &mut self.malformed.random);
        let can_answer =
            self.nodes.get(index).is_some_and(|node| node.is_up && node.is_ready && !node.is_paused());
        if can_answer {
            let line = crate::envelope::excerpt(&garbage.line);
            let awaited = Awaited { node: index, expected: garbage.expected, line };
            self.malformed.awaited.insert(u64::from(number), awaited);
        }
        let id = self.network.number(now, src, dest, garbage.line.len(), "malformed");
        self.network.send(now, Packet { id, src, dest, content: Content::Raw(garbage.line.into()) });
        self.deliver(now, dest);
    }

    /// That node was killed or paused. So no answer is due any more, though one may come.
    pub(super) fn forget_malformed(&mut self, index: usize) {
        let of_node = self.malformed.awaited.values_mut().filter(|awaited| awaited.node == index);
        of_node.for_each(|awaited| awaited.expected.is_required = false);
    }

    pub(super) fn malformed_replied(&mut self, now: Duration, src: usize, body: &str) {
        // Every kind of request has the same errors.
        let reply = Reply::to(&INIT, body);
        let awaited = reply.in_reply_to.and_then(|number| self.malformed.awaited.remove(&number));
        let code = match reply.content {
            ReplyContent::Error { code, .. } => Some(code),
            ReplyContent::Fits { .. } | ReplyContent::Holds(_) | ReplyContent::Breaks(_) => None,
        };
        let fits = |awaited: &Awaited| code.is_some_and(|code| awaited.expected.codes.contains(&code));
        if awaited.as_ref().is_some_and(fits) {
            return;
        }
        let line = awaited.map_or_else(|| "nothing it was asked".to_owned(), |awaited| awaited.line);
        let text = format!("n{src} answered {line} with {}", crate::envelope::excerpt(body.as_bytes()));
        self.violations.record(Check::Malformed, Some(now), text);
    }

    /// Reports the lines that got no answer and should have.
    pub(super) fn judge_malformed(&mut self) {
        for awaited in std::mem::take(&mut self.malformed.awaited).into_values() {
            if awaited.expected.is_required {
                let text = format!("n{} never answered {}", awaited.node, awaited.line);
                self.violations.record(Check::Malformed, None, text);
            }
        }
    }
}
