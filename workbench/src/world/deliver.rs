//! Handing messages over: to processes, services and clients.

use std::time::Duration;

use super::World;
use super::clients::Role;
use super::event::Action;
use super::timers::Timer;

use crate::endpoint::Endpoint;
use crate::network::{Content, Delivery, Packet};
use crate::service::ServiceName;

impl World {
    /// Sends a message from a client of the bench to a node. It has no delay, but may wait in the lane.
    pub(super) fn send_from_client(&mut self, now: Duration, client: u64, node: usize, body: String) {
        self.send_request(now, client, node, body, None);
    }

    /// The same for an operation's request.
    pub(super) fn send_request(
        &mut self,
        now: Duration,
        client: u64,
        node: usize,
        body: String,
        operation: Option<usize>,
    ) {
        let (src, dest) = (Endpoint::Client(client), Endpoint::Node(node));
        let id = self.network.number(now, src, dest, body.len(), &body);
        self.unheard.extend(operation.map(|operation| (id, operation)));
        self.network.send(now, Packet { id, src, dest, content: Content::Body(body.into()) });
        self.deliver(now, dest);
    }

    /// Hands over the messages that are due to one receiver, and sets a timer for the next.
    pub(super) fn deliver(&mut self, now: Duration, receiver: Endpoint) {
        loop {
            match self.network.poll(now, receiver) {
                Delivery::Now(packet) => self.hand_over(now, receiver, packet),
                Delivery::Later(due) => return self.timers.set(due, Timer::Lane(receiver)),
                Delivery::Idle => return,
            }
        }
    }

    fn hand_over(&mut self, now: Duration, receiver: Endpoint, packet: Packet) {
        match receiver {
            Endpoint::Node(index) => self.hand_to_node(index, packet),
            Endpoint::Service(name) => self.hand_to_service(now, name, &packet),
            Endpoint::Client(_) => {}
        }
    }

    /// Hands a message to a process. If the process is down the message is lost, and certainly has no effect.
    fn hand_to_node(&mut self, index: usize, packet: Packet) {
        let operation = self.unheard.remove(&packet.id);
        let Some(node) = self.nodes.get(index).filter(|node| node.is_up) else {
            if let Some(operation) = operation {
                self.history.never_heard(operation);
            }
            return;
        };
        self.network.wait(Endpoint::Node(index));
        self.actions.push_back(Action::Deliver {
            node: index,
            incarnation: node.incarnation,
            line: packet.into_line(),
        });
    }

    fn hand_to_service(&mut self, now: Duration, name: ServiceName, packet: &Packet) {
        let Content::Body(body) = &packet.content else { return };
        let Some(answer) = self.services.handle(name, packet.src, body) else { return };
        let (src, dest) = (packet.dest, packet.src);
        let id = self.network.number(now, src, dest, line_length(src, dest, &answer), &answer);
        if self.network.loses_answer(self.plan.store_loss) {
            return;
        }
        match self.network.send_answer(now, Packet { id, src, dest, content: Content::Body(answer.into()) }) {
            Some(later) => self.timers.set(later, Timer::Answer(id)),
            None => self.deliver(now, dest),
        }
    }

    /// A slow service has its answer ready.
    pub(super) fn answer_ready(&mut self, now: Duration, id: u64) {
        if let Some(receiver) = self.network.send_ready(now, id)
            && self.network.knows(receiver)
        {
            self.deliver(now, receiver);
        }
    }

    /// The process has accepted the line that it was handed.
    pub(super) fn accepted(&mut self, now: Duration, index: usize, incarnation: u32) {
        if self.nodes.get(index).is_some_and(|node| node.incarnation == incarnation && node.is_up) {
            self.network.ready(Endpoint::Node(index));
            self.deliver(now, Endpoint::Node(index));
        }
    }

    /// Hands a node's message to a client that exists.
    pub(super) fn hand_to_client(&mut self, now: Duration, src: usize, role: Role, body: &str) {
        match role {
            Role::Init { node } => self.init_replied(now, node, body),
            Role::Briefing { node, rpc } => self.briefing_replied(now, node, rpc, body),
            Role::Answered { rpc } => self.answered_again(now, src, rpc, body),
            Role::Worker(worker) => self.operation_replied(now, worker, src, body),
            Role::Probe { node } => self.probe_replied(now, node, body),
            Role::Malformed => self.malformed_replied(now, src, body),
        }
    }
}

/// The length of the line that a process would have printed for this message.
fn line_length(src: Endpoint, dest: Endpoint, body: &str) -> usize {
    const FRAME: usize = r#"{"src":"","dest":"","body":}"#.len() + 1;
    let mut names = String::with_capacity(32);
    src.push_to(&mut names);
    dest.push_to(&mut names);
    FRAME + names.len() + body.len()
}
