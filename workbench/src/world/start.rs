//! Starts nodes and services, and gives nodes their names and neighbours.

use std::time::Duration;

use rand::RngExt;

use super::clients::Role;
use super::event::{Action, End};
use super::phases::Phase;
use super::timers::Timer;
use super::{SetupFailure, World};

use crate::body::Body;
use crate::check::Check;
use crate::endpoint::Endpoint;
use crate::envelope::short;
use crate::history::Death;
use crate::reply::{Reply, ReplyContent, names_no_request};
use crate::service::ServiceName;
use crate::workload::{INIT, Request, Rpc};

/// How long a node may take to answer what the workload tells it at the start.
const BRIEFING_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a node may take to answer `init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

impl World {
    /// Draws the times at which nodes start. The services start just before the first node.
    pub(super) fn plan_starts(&mut self) {
        for node in self.plan.nodes() {
            let at = self.draw_start();
            if node == self.plan.first_node {
                self.timers.set(at, Timer::StartServices);
            }
            self.timers.set(at, Timer::StartNode(node));
        }
    }

    fn draw_start(&mut self) -> Duration {
        self.plan.stagger.mul_f64(self.random.random())
    }

    pub(super) fn start_services(&mut self) {
        for name in ServiceName::ALL {
            self.network.open(Endpoint::Service(name));
        }
    }

    /// Starts a node's process and sends it `init`.
    pub(super) fn start_node(&mut self, now: Duration, index: usize) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let incarnation = node.start(now);
        let client = self.clients.join(Role::Init { node: index });
        node.init_client = Some(client);
        self.network.open(Endpoint::Node(index));
        self.network.ready(Endpoint::Node(index));
        let seed = self.node_seeds.next_seed();
        self.actions.push_back(Action::Start { node: index, incarnation, seed });
        self.timers.set(now + INIT_TIMEOUT, Timer::InitTimeout { node: index, incarnation });
        let ids = &self.node_ids;
        let body = format!(r#"{{"type":"init","node_id":"n{index}","node_ids":{ids},"msg_id":1}}"#);
        self.send_from_client(now, client, index, body);
    }

    /// The client that awaits `init_ok` has received a message.
    pub(super) fn init_replied(&mut self, now: Duration, index: usize, body: &str) {
        let reply = Reply::to(&INIT, body);
        if reply.in_reply_to != Some(1) {
            return self.init_missed(now, index, "init", body);
        }
        match reply.content {
            ReplyContent::Fits { .. } => self.initialised(index),
            ReplyContent::Error { code, text } => {
                self.init_failed(now, index, &format!("answered init with error {code}: {text}"));
            }
            ReplyContent::Breaks(why) if is_init_ok(body) => {
                self.violations.record(
                    Check::Schema,
                    Some(now),
                    format!("n{index} answered init wrongly: {why}"),
                );
                self.initialised(index);
            }
            ReplyContent::Breaks(why) => self.init_failed(now, index, &format!("did not answer init: {why}")),
            ReplyContent::Holds(_) => {}
        }
    }

    /// Notes a message that answers another request or none. If the right answer never comes, it is the likely reason.
    fn init_missed(&mut self, now: Duration, index: usize, request: &str, body: &str) {
        let why = names_no_request(body)
            .unwrap_or_else(|| format!("in_reply_to is not 1, the msg_id of {request}"));
        let text = format!("{}: {why}", short(body));
        let found = format!("n{index} sent the client that awaits the answer to {request} {text}");
        self.violations.record(Check::Replies, Some(now), found);
        if let Some(node) = self.nodes.get_mut(index) {
            node.init_missed = Some(text);
        }
    }

    /// Tells a node what the workload has for it, as Maelstrom does once before a broadcast run.
    pub(super) fn send_briefing(&mut self, now: Duration, index: usize, request: &Request) {
        let client = self.clients.join(Role::Briefing { node: index, rpc: request.rpc() });
        if let Some(node) = self.nodes.get_mut(index) {
            node.init_client = Some(client);
            let incarnation = node.incarnation;
            self.timers.set(now + BRIEFING_TIMEOUT, Timer::InitTimeout { node: index, incarnation });
        }
        self.send_from_client(now, client, index, request.body(1));
    }

    pub(super) fn briefing_replied(&mut self, now: Duration, index: usize, rpc: &Rpc, body: &str) {
        let name = rpc.name;
        let text = match Reply::to(rpc, body) {
            Reply { in_reply_to: Some(1), content: ReplyContent::Fits { .. } | ReplyContent::Holds(_) } => {
                return self.initialised(index);
            }
            Reply { content: ReplyContent::Breaks(why), .. } => format!("did not answer {name}: {why}"),
            Reply { content: ReplyContent::Error { code, text }, .. } => {
                format!("answered {name} with error {code}: {text}")
            }
            Reply { content: ReplyContent::Fits { .. } | ReplyContent::Holds(_), .. } => {
                format!("did not answer {name}: in_reply_to is not 1, its msg_id, in {}", short(body))
            }
        };
        self.init_failed(now, index, &text);
    }

    fn initialised(&mut self, index: usize) {
        self.has_news = true;
        if let Some(node) = self.nodes.get_mut(index) {
            node.is_ready = true;
            if let Some(client) = node.init_client.take() {
                self.clients.answered(client);
            }
        }
    }

    /// A client that has had its answer got another message.
    pub(super) fn answered_again(&mut self, now: Duration, index: usize, rpc: &Rpc, body: &str) {
        let text = format!("n{index} answered {} again: {}", rpc.name, short(body));
        self.violations.record(Check::Replies, Some(now), text);
    }

    pub(super) fn init_timed_out(&mut self, now: Duration, index: usize, incarnation: u32) {
        let waits = |node: &&super::Node| node.incarnation == incarnation && node.is_starting();
        let Some(node) = self.nodes.get(index).filter(waits) else { return };
        let role = node.init_client.and_then(|client| self.clients.role(client));
        let what = match role {
            Some(Role::Briefing { rpc, .. }) => format!("{} within 5 s", rpc.name),
            Some(
                Role::Init { .. }
                | Role::Answered { .. }
                | Role::Worker(_)
                | Role::Probe { .. }
                | Role::Malformed,
            )
            | None => "init within 10 s".to_owned(),
        };
        let instead = node.init_missed.as_ref().map_or_else(String::new, |text| format!(", but sent {text}"));
        self.init_failed(now, index, &format!("did not answer {what}{instead}"));
    }

    /// Reports that a node did not start. At the start this ends the run. Later it is a violation, and the run goes on.
    pub(super) fn init_failed(&mut self, now: Duration, index: usize, text: &str) {
        self.close_init(index);
        self.violations.record(Check::Init, Some(now), format!("n{index} {text}"));
        if matches!(self.phase, Phase::Setup | Phase::Briefing) && self.setup_failure.is_none() {
            self.setup_failure = Some(SetupFailure { node: index, text: text.to_owned() });
        }
    }

    pub(super) fn close_init(&mut self, index: usize) {
        self.has_news = true;
        if let Some(client) = self.nodes.get_mut(index).and_then(|node| node.init_client.take()) {
            self.clients.leave(client);
        }
    }

    /// A process ended, by itself or because it was asked to.
    pub(super) fn exited(&mut self, now: Duration, index: usize, incarnation: u32, end: &End) {
        let Some(node) = self.nodes.get(index).filter(|node| node.incarnation == incarnation && node.is_up)
        else {
            return;
        };
        let (was_asked, was_starting) = (node.is_ending, node.is_starting());
        self.take_down(now, index);
        if was_asked && !end.is_clean {
            let text = format!("n{index} was asked to end (SIGTERM) and did so badly: {}", end.tell());
            self.violations.record(Check::CleanEnd, Some(now), text);
        } else if !was_asked {
            let text = format!("the process of n{index} ended by itself: {}", end.tell());
            self.violations.record(Check::Exit, Some(now), text);
            if was_starting {
                self.init_failed(now, index, &format!("ended before it answered init: {}", end.status));
            }
        }
    }

    /// Notes that a process has ended.
    pub(super) fn take_down(&mut self, now: Duration, index: usize) {
        self.close_init(index);
        if let Some(node) = self.nodes.get_mut(index) {
            self.history.death(Death { at: now, node: index, last_pause: node.last_pause(now) });
            node.end();
        }
        self.network.ready(Endpoint::Node(index));
        self.forget_malformed(index);
        self.deliver(now, Endpoint::Node(index));
    }

    /// Kills a process that has not ended in time after SIGTERM.
    pub(super) fn end_timed_out(&mut self, now: Duration, index: usize, incarnation: u32) {
        let is_late = |node: &&super::Node| node.incarnation == incarnation && node.is_ending;
        let Some(node) = self.nodes.get(index).filter(is_late) else { return };
        if !node.is_paused() {
            let text = format!("n{index} did not end within 5 s of SIGTERM");
            self.violations.record(Check::CleanEnd, Some(now), text);
        }
        self.actions.push_back(Action::Kill { node: index });
        self.take_down(now, index);
    }
}

fn is_init_ok(body: &str) -> bool {
    Body::parse(body).is_some_and(|body| body.text("type").as_deref() == Some("init_ok"))
}
