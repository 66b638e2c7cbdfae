//! The clients at work: requests, answers and timeouts.

use std::time::Duration;

use super::World;
use super::clients::Role;
use super::phases::Phase;
use super::timers::Timer;
use super::workers::Pending;

use crate::answer::Answer;
use crate::check::Check;
use crate::error_code::is_definite;
use crate::history::{Completion, Operation, Outcome};
use crate::reply::{Reply, ReplyContent, names_no_request};
use crate::words::Seconds;
use crate::workload::Request;

impl World {
    /// Sends the requests that are due, as long as a worker is free.
    pub(super) fn issue_operations(&mut self, now: Duration, until: Duration) {
        while self.pace.due() <= now && now < until && self.plan.rate > 0.0 {
            let Some(worker) = self.workers.draw(&mut self.random) else { return };
            let request = self.requests.next(worker, &mut self.random);
            self.pace.done(now, &mut self.random);
            self.invoke(now, worker, request, false);
        }
    }

    /// Lets every worker of the plan do its last requests.
    pub(super) fn issue_last_requests(&mut self, now: Duration) {
        for worker in self.workers.take_planned() {
            self.issue_last(now, worker);
        }
    }

    /// The worker's next request of the end of the run. Without one it is free for good.
    fn issue_last(&mut self, now: Duration, index: usize) {
        let Some(worker) = self.workers.get_mut(index) else { return };
        let round = worker.last_requests;
        worker.last_requests += 1;
        match self.requests.at_end(index, round) {
            Some(request) => self.invoke(now, index, request, true),
            None => self.workers.freed(index),
        }
    }

    fn invoke(&mut self, now: Duration, index: usize, request: Request, is_final: bool) {
        let client = self.client_of(index);
        let Some(worker) = self.workers.get_mut(index) else { return };
        let msg_id = worker.next_msg_id;
        worker.next_msg_id += 1;
        let body = request.body(msg_id);
        let operation = self.history.invoke(Operation {
            process: worker.process,
            worker: index,
            node: worker.node,
            incarnation: self.nodes.get(worker.node).map_or(0, |node| node.incarnation),
            request,
            is_final,
            invoked: now,
            completion: None,
        });
        worker.pending = Some(Pending { operation, msg_id, invoked: now });
        worker.last_operation = Some(operation);
        let node = worker.node;
        self.timers.set(now + self.patience, Timer::OpTimeout { worker: index, operation });
        self.send_request(now, client, node, body, Some(operation));
    }

    /// The worker's client. A client whose request ended badly leaves only now, as in Jepsen.
    fn client_of(&mut self, index: usize) -> u64 {
        let Some(worker) = self.workers.get_mut(index) else { return 0 };
        if let Some(client) = worker.client.filter(|_| !worker.is_crashed) {
            return client;
        }
        if let Some(client) = worker.client {
            self.clients.leave_after(client, worker.last_operation);
        }
        let client = self.clients.join(Role::Worker(index));
        worker.client = Some(client);
        worker.is_crashed = false;
        worker.next_msg_id = 1;
        client
    }

    /// A worker's client has received a message.
    pub(super) fn operation_replied(&mut self, now: Duration, index: usize, src: usize, body: &str) {
        let Some(worker) = self.workers.get(index) else { return };
        let pending = worker.pending.and_then(|pending| {
            let operation = self.history.operations().get(pending.operation)?;
            let reply = Reply::to(operation.request.rpc(), body);
            (reply.in_reply_to == Some(pending.msg_id)).then_some(reply.content)
        });
        let Some(content) = pending else { return self.stray_reply(now, index, src, body) };
        if src != worker.node {
            let text = format!("n{src} answered a request to n{}", worker.node);
            self.violations.record(Check::Replies, Some(now), text);
        }
        let outcome = self.judge_reply(now, index, src, content);
        self.complete(now, index, outcome);
    }

    fn judge_reply(&mut self, now: Duration, index: usize, src: usize, content: ReplyContent) -> Outcome {
        match content {
            ReplyContent::Fits { value } => Outcome::Ok(value.map_or(Answer::Done, Answer::Integer)),
            ReplyContent::Holds(answer) => Outcome::Ok(answer),
            ReplyContent::Error { code, text } => {
                Outcome::Refused { code, definite: is_definite(code), text }
            }
            ReplyContent::Breaks(why) => {
                let asked = self.last_asked(index).map_or("a request".to_owned(), |(_, last)| last.asked());
                let text = format!("n{src} answered {asked} wrongly: {why}");
                self.violations.record(Check::Schema, Some(now), text);
                Outcome::Malformed(why)
            }
        }
    }

    /// Judges an answer that no client waits for: it is too late, was sent twice, or answers no request.
    fn stray_reply(&mut self, now: Duration, index: usize, src: usize, body: &str) {
        let kind = match self.last_asked(index) {
            Some((true, last)) => format!(
                "a late reply: the client gave up {}, asked for at {}",
                last.asked(),
                Seconds(last.invoked)
            ),
            Some((false, last)) if last.completion.is_none() => {
                format!("a reply that nobody waits for: the client waits for the answer to {}", last.asked())
            }
            Some((false, last)) => {
                format!("a reply that nobody waits for: the client has its answer to {}", last.asked())
            }
            None => "a reply that nobody waits for".to_owned(),
        };
        let why = names_no_request(body).map_or_else(String::new, |why| format!(" ({why})"));
        let text = format!("n{src} sent {kind}{why}: {}", crate::envelope::excerpt(body.as_bytes()));
        self.violations.record(Check::Replies, Some(now), text);
    }

    /// What a worker's client asked for last, and whether it has given that up.
    fn last_asked(&self, index: usize) -> Option<(bool, &Operation)> {
        let worker = self.workers.get(index)?;
        Some((worker.is_crashed, self.history.operations().get(worker.last_operation?)?))
    }

    pub(super) fn operation_timed_out(&mut self, now: Duration, index: usize, operation: usize) {
        let pending = self.workers.get(index).and_then(|worker| worker.pending);
        if pending.is_some_and(|pending| pending.operation == operation) {
            self.complete(now, index, Outcome::Timeout);
        }
    }

    /// Adds up the time in which no worker was free for a request that was due. Call it before a worker is freed.
    pub(super) fn note_starving(&mut self, now: Duration) {
        let can_send = self.workers.can_send();
        let Some(last) = self.history.operations().last().filter(|_| !can_send) else { return };
        self.starved += now.saturating_sub(self.pace.due().max(last.invoked));
    }

    fn complete(&mut self, now: Duration, index: usize, outcome: Outcome) {
        let stride = self.workers.stride();
        if let Phase::Main { until } = self.phase {
            self.note_starving(now.min(until));
        }
        let Some(worker) = self.workers.get_mut(index) else { return };
        let Some(pending) = worker.pending.take() else { return };
        self.has_news = true;
        let asked = self.history.operations().get(pending.operation);
        if asked.is_none_or(|operation| operation.request.is_left_open_by(&outcome)) {
            worker.is_crashed = true;
            worker.process += stride;
        }
        let incarnation = self.nodes.get(worker.node).map_or(0, |node| node.incarnation);
        debug_assert!(pending.invoked <= now);
        self.history.complete(pending.operation, Completion { at: now, incarnation, outcome });
        if let Some(operation) = self.history.operations().get(pending.operation) {
            self.requests.ended(operation);
        }
        if self.phase == Phase::FinalReads {
            self.issue_last(now, index);
        } else {
            self.workers.freed(index);
        }
    }
}
