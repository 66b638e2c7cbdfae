//! Receives the lines that nodes print. It reads them as Maelstrom does, and sends them on.

use std::time::Duration;

use super::World;
use super::phases::Phase;

use crate::check::{Check, unanswered};
use crate::endpoint::Endpoint;
use crate::envelope::{Envelope, EnvelopeError, excerpt, short};
use crate::history::{Operation, Outcome};
use crate::network::{Content, Packet};
use crate::words::Seconds;

impl World {
    /// A process printed a line.
    pub(super) fn receive(&mut self, now: Duration, index: usize, incarnation: u32, line: &[u8]) {
        let Some(node) = self.nodes.get(index) else { return };
        if node.incarnation == incarnation && node.is_mute {
            return;
        }
        let is_over = node.incarnation != incarnation || !node.is_up;
        let refused = match Envelope::parse(line) {
            Ok(envelope) => self.accept(now, index, line, &envelope),
            // It was killed while it wrote.
            Err(EnvelopeError::Unfinished) if is_over => return,
            Err(error) => Err((Check::Output, error.to_string())),
        };
        if let Err((check, text)) = refused {
            self.mute(now, index, incarnation, check, &format!("{text}: {}", excerpt(line)));
        }
    }

    /// Sends a message on. The error says why Maelstrom would reject it.
    fn accept(
        &mut self,
        now: Duration,
        index: usize,
        line: &[u8],
        envelope: &Envelope<'_>,
    ) -> Result<(), (Check, String)> {
        let src = self.source(now, index, envelope)?;
        let dest = Endpoint::parse(&envelope.dest);
        if let Some(Endpoint::Client(number)) = dest {
            let Some(role) = self.clients.role(number) else { return Err(self.gone(number)) };
            let client = Endpoint::Client(number);
            let id = self.network.number(now, src, client, line.len() + 1, envelope.body);
            self.network.received_by_client(now, id, src, client);
            self.hand_to_client(now, index, role, envelope.body);
            return Ok(());
        }
        let Some(dest) = dest.filter(|dest| self.network.knows(*dest)) else {
            return Err((
                Check::Destination,
                format!("a message to {}, who does not exist", short(&envelope.dest)),
            ));
        };
        if !src.is_client() {
            self.note_server_message(now, index, line);
        }
        self.forward(now, src, dest, envelope, line);
        Ok(())
    }

    fn forward(
        &mut self,
        now: Duration,
        src: Endpoint,
        dest: Endpoint,
        envelope: &Envelope<'_>,
        line: &[u8],
    ) {
        let id = self.network.number(now, src, dest, line.len() + 1, envelope.body);
        self.network.send(now, Packet { id, src, dest, content: Content::Body(envelope.body.into()) });
        self.deliver(now, dest);
    }

    /// The sender that a message names. Maelstrom accepts any endpoint that exists, this bench only the node itself.
    fn source(
        &mut self,
        now: Duration,
        index: usize,
        envelope: &Envelope<'_>,
    ) -> Result<Endpoint, (Check, String)> {
        let exists = |src: &Endpoint| match *src {
            Endpoint::Client(number) => self.clients.role(number).is_some(),
            Endpoint::Node(_) | Endpoint::Service(_) => self.network.knows(*src),
        };
        let Some(src) = Endpoint::parse(&envelope.src).filter(exists) else {
            return Err((
                Check::Output,
                format!("a message from {}, who does not exist", short(&envelope.src)),
            ));
        };
        if src != Endpoint::Node(index) {
            self.violations.record(Check::Source, Some(now), format!("n{index} signed a message as {src}"));
        }
        Ok(src)
    }

    fn gone(&self, number: u64) -> (Check, String) {
        let last = self.clients.last_operation(number).and_then(|last| self.history.operations().get(last));
        let why = match last {
            Some(last) => format!("who has left; {}", left(last)),
            None if self.clients.existed(number) => "who has left".to_owned(),
            None => "who does not exist".to_owned(),
        };
        (Check::Destination, format!("a message to c{number}, {why}"))
    }

    /// Makes this incarnation of the node mute.
    fn mute(&mut self, now: Duration, index: usize, incarnation: u32, check: Check, text: &str) {
        self.violations.record(check, Some(now), format!("n{index} is mute from now on: {text}"));
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.incarnation == incarnation) else {
            return;
        };
        node.is_mute = true;
        if node.is_starting() && self.phase == Phase::Setup {
            self.init_failed(now, index, &format!("printed {text}"));
        }
    }

    fn note_server_message(&mut self, now: Duration, index: usize, line: &[u8]) {
        if matches!(self.phase, Phase::Silence { .. }) {
            let text = format!("n{index} sent {}", excerpt(line));
            self.violations.record(Check::Silence, Some(now), text);
        }
    }
}

/// Why a client has left: how its last operation ended.
fn left(last: &Operation) -> String {
    let (name, argument, node) = (last.request.name(), last.request.argument(), last.node);
    let argument =
        if argument.as_str() == "null" { String::new() } else { format!(" {}", short(argument.as_str())) };
    let asked = format!("its {name}{argument} to n{node} at {}", Seconds(last.invoked));
    match last.outcome() {
        None | Some(Outcome::Timeout) => {
            let waited = last.ended().map_or(Duration::ZERO, |at| at.saturating_sub(last.invoked));
            format!("{asked} had no answer within {}, so this is a late one", Seconds(waited))
        }
        other => format!("{asked} had its answer: {}", unanswered(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::workload::Counter;
    use crate::world::Event;

    #[test]
    fn half_a_line_is_wrong_but_for_a_process_that_was_killed_while_it_wrote() {
        let half = |is_killed: bool| {
            let mut world = World::new(&Plan::new(&Counter::G, 1));
            if is_killed {
                world.take_down(Duration::ZERO, 0);
            }
            world.handle(
                Duration::ZERO,
                &Event::Line { node: 0, incarnation: 1, line: br#"{"src":"n0","dest""# },
            );
            world.violations.counts().contains_key(&Check::Output)
        };
        assert!(half(false) && !half(true));
    }
}
