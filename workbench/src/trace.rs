//! The messages of a run, each with its times.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use crate::endpoint::Endpoint;

/// Every message up to a bound, in the order of sending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    messages: Vec<TracedMessage>,
    omitted: u64,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TracedMessage {
    pub(crate) id: u64,
    pub(crate) src: Endpoint,
    pub(crate) dest: Endpoint,
    pub(crate) body: Box<str>,
    pub(crate) sent: Duration,
    /// When it (or the first copy of it) was received, if it was.
    pub(crate) received: Option<Duration>,
}

impl Trace {
    /// How many messages are kept.
    const KEPT: usize = 200_000;
    /// How much of a body is kept, in bytes.
    const BODY: usize = 2000;

    /// How many messages are not in it, because there were too many.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Numbers count up from 0 without gaps, so that a number is a place.
    pub(crate) fn sent(&mut self, now: Duration, id: u64, src: Endpoint, dest: Endpoint, body: &str) {
        if self.messages.len() == Self::KEPT {
            self.omitted += 1;
            return;
        }
        let body = body.get(..Self::BODY).unwrap_or(body).into();
        self.messages.push(TracedMessage { id, src, dest, body, sent: now, received: None });
    }

    pub(crate) fn received(&mut self, now: Duration, id: u64) {
        let message = usize::try_from(id).ok().and_then(|place| self.messages.get_mut(place));
        if let Some(message) = message {
            message.received.get_or_insert(now);
        }
    }

    pub(crate) fn messages(&self) -> &[TracedMessage] {
        &self.messages
    }

    /// Writes one JSON object a line and message; times in nanoseconds, `received` null if it never was.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        for message in &self.messages {
            let nanos = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
            let line = json!({
                "id": message.id,
                "src": message.src.to_string(),
                "dest": message.dest.to_string(),
                "sent": nanos(message.sent),
                "received": message.received.map(nanos),
                "body": message.body,
            });
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
