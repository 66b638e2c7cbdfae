//! The rights that the servers refuse a node.
//!
//! A server says so beside the request, not as its answer. So whoever has asked sees no more than a timeout.

use std::collections::BTreeSet;

use async_nats::{Event, ServerError};
use tokio::sync::watch;
use tracing::{debug, info, warn};

/// So many refusals are told. A node that is refused more has the wrong rights altogether.
const MOST: usize = 64;

/// What the servers have refused so far.
#[derive(Debug)]
pub(super) struct Refusals(watch::Sender<BTreeSet<String>>);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(watch::Sender::default())
    }

    /// The client has met something.
    pub(super) fn hear(&self, event: &Event) {
        match event {
            // A slow consumer is told for each message that is lost. Frames are sent again.
            Event::SlowConsumer(_) => debug!(%event, "NATS"),
            Event::ServerError(ServerError::Other(problem)) => {
                refused(problem).map_or_else(|| warn!(%event, "NATS"), |refusal| self.note(refusal));
            }
            Event::ServerError(_) | Event::ClientError(_) => warn!(%event, "NATS"),
            Event::Connected
            | Event::Disconnected
            | Event::LameDuckMode
            | Event::Draining
            | Event::Closed => info!(%event, "NATS"),
        }
    }

    fn note(&self, refusal: String) {
        self.0.send_if_modified(|before| {
            let is_new = before.len() < MOST && !before.contains(&refusal);
            if is_new {
                warn!("{refusal}");
                before.insert(refusal);
            }
            is_new
        });
    }

    /// Waits for a refusal, and says which.
    pub(super) async fn any(&self) -> String {
        let mut refusals = self.0.subscribe();
        // It ends with `self` only.
        let refusals = refusals.wait_for(|refusals| !refusals.is_empty()).await;
        refusals.ok().and_then(|refusals| refusals.first().cloned()).unwrap_or_default()
    }

    /// A refusal, if there is one.
    pub(super) fn first(&self) -> Option<String> {
        self.0.borrow().first().cloned()
    }
}

/// What a server refuses, if this is such an error: `Permissions Violation for Publish to "a.subject"`.
fn refused(problem: &str) -> Option<String> {
    let (_, right) = problem.split_once("ermissions Violation for ")?;
    let (what, subject) = right.split_once(" to ")?;
    let verb = match what.to_ascii_lowercase().as_str() {
        "publish" => "publish",
        "subscription" => "subscribe",
        _ => return None,
    };
    Some(format!("NATS refuses this node the right to {verb} to {subject}: see docs/cluster.md, Rights"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Event {
        Event::ServerError(ServerError::Other(text.into()))
    }

    #[test]
    fn a_refusal_says_what_is_refused() {
        let refusals = Refusals::new();
        refusals.hear(&error("Maximum Payload Violation"));
        refusals.hear(&Event::Disconnected);
        assert_eq!(refusals.first(), None);
        refusals.hear(&error("Permissions Violation for Subscription to \"_INBOX_n1.>\""));
        let expected =
            "NATS refuses this node the right to subscribe to \"_INBOX_n1.>\": see docs/cluster.md, Rights";
        assert_eq!(refusals.first().as_deref(), Some(expected));
    }

    #[test]
    fn refusals_are_bounded() {
        let refusals = Refusals::new();
        for number in 0..2 * MOST {
            refusals.hear(&error(&format!("Permissions Violation for Publish to \"{number}\"")));
        }
        assert_eq!(refusals.0.borrow().len(), MOST);
    }
}
