//! The simulated network: delays, losses, copies, partitions, and Maelstrom's way of delivering.

mod journal;
mod lane;
mod latency;
mod packet;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;

pub use self::journal::{Journal, Load, Traffic};
pub use self::latency::{Latency, LatencyShape};

pub(crate) use self::lane::Delivery;
use self::lane::Lane;
use self::packet::Queued;
pub(crate) use self::packet::{Content, Packet};

use crate::endpoint::Endpoint;
use crate::nemesis::{Fault, StoreFault};
use crate::plan::Plan;
use crate::seeds::Random;
use crate::service::ServiceName;
use crate::trace::Trace;

/// The delay of slow messages, if messages otherwise take no time.
const SLOW: Latency = Latency { mean_ms: 50, shape: LatencyShape::Exponential };
/// The additional delay of a slow service.
const SLOW_STORE: Latency = Latency { mean_ms: 500, shape: LatencyShape::Exponential };

/// Links between nodes that are cut: for each receiver, the senders it hears nothing from.
pub(crate) type Grudge = Vec<(usize, Vec<usize>)>;

/// The network between nodes and services. Messages to clients take no time and do not pass through here.
#[derive(Debug)]
pub(crate) struct Network {
    nodes: Vec<Option<Lane>>,
    services: Vec<Option<Lane>>,
    /// `cut[receiver][sender]`.
    cut: Vec<Vec<bool>>,
    cut_peers: bool,
    cut_store: bool,
    latency: Latency,
    loss: f64,
    duplicate: f64,
    /// The present faults.
    disturbed: BTreeSet<Fault>,
    store_fault: Option<StoreFault>,
    /// Answers that a slow service has not yet sent, by number.
    thinking: BTreeMap<u64, Packet>,
    random: Random,
    next_id: u64,
    next_sequence: u64,
    journal: Journal,
    trace: Option<Trace>,
}

impl Network {
    pub(crate) fn new(plan: &Plan, random: Random) -> Self {
        let count = plan.nodes().end;
        Self {
            nodes: (0..count).map(|_| None).collect(),
            services: ServiceName::ALL.iter().map(|_| None).collect(),
            cut: vec![vec![false; count]; count],
            cut_peers: plan.cut_peers,
            cut_store: plan.cut_store,
            latency: plan.latency,
            loss: plan.loss,
            duplicate: plan.duplicate,
            disturbed: BTreeSet::new(),
            store_fault: None,
            thinking: BTreeMap::new(),
            random,
            next_id: 0,
            next_sequence: 0,
            journal: Journal::default(),
            trace: plan.trace.then(Trace::default),
        }
    }

    /// Opens a receiver's lane. Until then the receiver does not exist.
    pub(crate) fn open(&mut self, endpoint: Endpoint) {
        if let Some(lane) = self.lane(endpoint) {
            lane.get_or_insert_with(Lane::default);
        }
    }

    /// Whether that node or service exists.
    pub(crate) fn knows(&self, endpoint: Endpoint) -> bool {
        match endpoint {
            Endpoint::Node(index) => self.nodes.get(index).is_some_and(Option::is_some),
            Endpoint::Service(name) => self.services.get(name.index()).is_some_and(Option::is_some),
            Endpoint::Client(_) => false,
        }
    }

    /// The number of the next message, counted as sent. `bytes` is the length of its line.
    pub(crate) fn number(
        &mut self,
        now: Duration,
        src: Endpoint,
        dest: Endpoint,
        bytes: usize,
        body: &str,
    ) -> u64 {
        self.journal.sent(now, src, dest, bytes);
        let id = self.next_id;
        self.next_id += 1;
        if let Some(trace) = &mut self.trace {
            trace.sent(now, id, src, dest, body);
        }
        id
    }

    fn note_received(&mut self, now: Duration, id: u64, src: Endpoint, dest: Endpoint) {
        self.journal.received(src, dest);
        if let Some(trace) = &mut self.trace {
            trace.received(now, id);
        }
    }

    /// Puts a message on its way. The caller must have checked that its destination exists.
    pub(crate) fn send(&mut self, now: Duration, packet: Packet) {
        if packet.src.is_client() || packet.dest.is_client() {
            self.enqueue(now, packet);
            return;
        }
        if self.random.random_bool(self.probability(Fault::Duplicate, self.duplicate)) {
            self.send_copy(now, packet.clone());
        }
        self.send_copy(now, packet);
    }

    fn send_copy(&mut self, now: Duration, packet: Packet) {
        let delay = self.present_latency().draw(&mut self.random);
        let loss = self.probability(Fault::Loss, self.loss);
        if !self.random.random_bool(loss) {
            self.enqueue(now + delay, packet);
        }
    }

    /// The probability of a fault's effect: the plan's, or one half while the fault lasts.
    fn probability(&self, fault: Fault, planned: f64) -> f64 {
        if self.disturbed.contains(&fault) { planned.max(0.5) } else { planned }
    }

    fn present_latency(&self) -> Latency {
        match self.latency {
            calm if !self.disturbed.contains(&Fault::Slow) => calm,
            Latency { mean_ms: 0, .. } => SLOW,
            Latency { mean_ms, shape } => Latency { mean_ms: mean_ms * 10, shape },
        }
    }

    /// Begins to lose, double or slow messages.
    pub(crate) fn disturb(&mut self, fault: Fault) {
        self.disturbed.insert(fault);
    }

    /// Stops to lose, double or slow messages.
    pub(crate) fn calm(&mut self, fault: Fault) {
        self.disturbed.remove(&fault);
    }

    /// Sets the fault of the services from now on.
    pub(crate) fn set_store_fault(&mut self, fault: Option<StoreFault>) {
        self.store_fault = fault;
    }

    /// Sends the answer of a service. `Some` if the service is slow: then the answer is [ready](Self::send_ready) at that
    /// time. The delay is the service's and not the message's, for in a receiver's lane other messages would wait behind it.
    pub(crate) fn send_answer(&mut self, now: Duration, answer: Packet) -> Option<Duration> {
        if self.store_fault != Some(StoreFault::Slow) {
            self.send(now, answer);
            return None;
        }
        self.thinking.insert(answer.id, answer);
        Some(now + SLOW_STORE.draw(&mut self.random))
    }

    /// Sends the answer that a slow service has ready. Returns the receiver.
    pub(crate) fn send_ready(&mut self, now: Duration, id: u64) -> Option<Endpoint> {
        let answer = self.thinking.remove(&id)?;
        let receiver = answer.dest;
        self.send(now, answer);
        Some(receiver)
    }

    /// Whether this answer of a service is lost, by the plan or by a fault.
    pub(crate) fn loses_answer(&mut self, planned: f64) -> bool {
        let is_forgetful = self.store_fault == Some(StoreFault::Forgetful);
        let probability = if is_forgetful { planned.max(0.5) } else { planned };
        self.random.random_bool(probability)
    }

    fn enqueue(&mut self, deadline: Duration, packet: Packet) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        if let Some(Some(lane)) = self.lane(packet.dest) {
            lane.push(Queued { deadline, sequence, packet });
        }
    }

    /// Goes on delivering to one receiver.
    pub(crate) fn poll(&mut self, now: Duration, receiver: Endpoint) -> Delivery {
        let cut_store = self.cut_store || self.store_fault == Some(StoreFault::CutOff);
        let (cut, cut_peers) = (&self.cut, self.cut_peers);
        let is_cut = |packet: &Packet| match (packet.src, packet.dest) {
            (Endpoint::Node(src), Endpoint::Node(dest)) => {
                src != dest && (cut_peers || cut.get(dest).and_then(|from| from.get(src)) == Some(&true))
            }
            (Endpoint::Client(_), _) | (_, Endpoint::Client(_)) => false,
            (Endpoint::Service(_), _) | (_, Endpoint::Service(_)) => cut_store,
        };
        let lane = match receiver {
            Endpoint::Node(index) => self.nodes.get_mut(index),
            Endpoint::Service(name) => self.services.get_mut(name.index()),
            Endpoint::Client(_) => None,
        };
        let Some(Some(lane)) = lane else { return Delivery::Idle };
        let delivery = lane.poll(now, is_cut);
        if let Delivery::Now(packet) = &delivery {
            self.note_received(now, packet.id, packet.src, packet.dest);
        }
        delivery
    }

    /// Notes that the receiver was handed a message, and has not accepted it yet.
    pub(crate) fn wait(&mut self, receiver: Endpoint) {
        if let Some(Some(lane)) = self.lane(receiver) {
            lane.wait();
        }
    }

    /// Notes that the receiver can accept the next message.
    pub(crate) fn ready(&mut self, receiver: Endpoint) {
        if let Some(Some(lane)) = self.lane(receiver) {
            lane.ready();
        }
    }

    /// Cuts links, in addition to those already cut.
    pub(crate) fn partition(&mut self, grudge: &Grudge) {
        for (receiver, senders) in grudge {
            for &sender in senders {
                if let Some(link) = self.cut.get_mut(*receiver).and_then(|from| from.get_mut(sender)) {
                    *link = true;
                }
            }
        }
    }

    /// Mends every link that [`partition`](Self::partition) cut.
    pub(crate) fn heal(&mut self) {
        self.cut.iter_mut().flatten().for_each(|link| *link = false);
    }

    /// Counts a message that arrived at a client.
    pub(crate) fn received_by_client(&mut self, now: Duration, id: u64, src: Endpoint, dest: Endpoint) {
        self.note_received(now, id, src, dest);
    }

    /// Keeps the messages around that moment for good.
    pub(crate) fn mark(&mut self, at: Duration) {
        if let Some(trace) = &mut self.trace {
            trace.mark(at);
        }
    }

    pub(crate) fn take_trace(&mut self) -> Option<Trace> {
        self.trace.take()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    fn lane(&mut self, endpoint: Endpoint) -> Option<&mut Option<Lane>> {
        match endpoint {
            Endpoint::Node(index) => self.nodes.get_mut(index),
            Endpoint::Service(name) => self.services.get_mut(name.index()),
            Endpoint::Client(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
