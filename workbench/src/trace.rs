//! The messages of a run, each with its times.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use crate::endpoint::Endpoint;

/// The first messages of a run and the last ones, in the order of sending: 100,000 of each, and of each body the first
/// 2,000 bytes. That is 450 MB at most, and of usual messages a tenth.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    first: Vec<TracedMessage>,
    last: VecDeque<TracedMessage>,
    /// How many of the first messages are kept, and how many of the last.
    bound: usize,
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

/// Messages that follow each other, up to a moment and from it on.
#[derive(Debug, PartialEq)]
pub(crate) struct Around<'a> {
    pub(crate) before: Vec<&'a TracedMessage>,
    pub(crate) after: Vec<&'a TracedMessage>,
}

/// A time whose messages were not kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) omitted: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self::keeping(100_000)
    }
}

impl Trace {
    /// How much of a body is kept, in bytes.
    const BODY: usize = 2000;

    /// A trace of so many first messages and as many last ones.
    pub(crate) fn keeping(bound: usize) -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), bound, omitted: 0 }
    }

    /// How many messages were left out because there were too many.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Notes that a message was sent. Its number is its place, for numbers count up from 0 without gaps.
    pub(crate) fn sent(&mut self, now: Duration, id: u64, src: Endpoint, dest: Endpoint, body: &str) {
        debug_assert_eq!(
            id,
            (self.first.len() + self.last.len()) as u64 + self.omitted,
            "no number is left out"
        );
        let body = body.get(..body.floor_char_boundary(Self::BODY)).unwrap_or_default().into();
        let message = TracedMessage { id, src, dest, body, sent: now, received: None };
        if self.first.len() < self.bound {
            return self.first.push(message);
        }
        if self.last.len() == self.bound {
            self.last.pop_front();
            self.omitted += 1;
        }
        self.last.push_back(message);
    }

    pub(crate) fn received(&mut self, now: Duration, id: u64) {
        let place = usize::try_from(id).unwrap_or(usize::MAX);
        let skipped = self.first.len().saturating_add(usize::try_from(self.omitted).unwrap_or(usize::MAX));
        let message = match self.first.get_mut(place) {
            Some(message) => Some(message),
            None => place.checked_sub(skipped).and_then(|place| self.last.get_mut(place)),
        };
        if let Some(message) = message {
            message.received.get_or_insert(now);
        }
    }

    /// `before` messages up to that moment, and `after` messages from then on.
    ///
    /// # Errors
    /// If the messages of that time were left out.
    pub(crate) fn around(&self, at: Duration, before: usize, after: usize) -> Result<Around<'_>, Gap> {
        if let Some(gap) = self.gap().filter(|gap| gap.from < at && at < gap.until) {
            return Err(gap);
        }
        let is_early = self.omitted == 0 || self.first.last().is_some_and(|last| at <= last.sent);
        let run: Vec<&TracedMessage> = match (is_early, self.omitted) {
            (true, 0) => self.messages().collect(),
            (true, _) => self.first.iter().collect(),
            (false, _) => self.last.iter().collect(),
        };
        let place = run.partition_point(|message| message.sent <= at);
        let (sent, to_come) = run.split_at_checked(place).unwrap_or_default();
        Ok(Around {
            before: sent.iter().skip(sent.len().saturating_sub(before)).copied().collect(),
            after: to_come.iter().take(after).copied().collect(),
        })
    }

    fn gap(&self) -> Option<Gap> {
        let (from, until) = (self.first.last()?.sent, self.last.front()?.sent);
        (self.omitted > 0).then_some(Gap { from, until, omitted: self.omitted })
    }

    fn messages(&self) -> impl Iterator<Item = &TracedMessage> {
        self.first.iter().chain(&self.last)
    }

    /// Writes one JSON object a line and message. Times are in nanoseconds, and `received` is null if the message was not
    /// received. One line stands for the messages that were left out: `{"omitted":1200}`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        self.first.iter().try_for_each(|message| message.write(out))?;
        if self.omitted > 0 {
            writeln!(out, "{}", json!({"omitted": self.omitted}))?;
        }
        self.last.iter().try_for_each(|message| message.write(out))
    }
}

impl TracedMessage {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let nanos = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let line = json!({
            "id": self.id,
            "src": self.src.to_string(),
            "dest": self.dest.to_string(),
            "sent": nanos(self.sent),
            "received": self.received.map(nanos),
            "body": self.body,
        });
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One message a second. Each is received half a second later, and noted only once all are sent.
    fn run(bound: usize, count: u64) -> Trace {
        let mut trace = Trace::keeping(bound);
        for id in 0..count {
            trace.sent(Duration::from_secs(id), id, Endpoint::Node(0), Endpoint::Node(1), "{}");
        }
        (0..count).for_each(|id| trace.received(Duration::from_millis(id * 1000 + 500), id));
        trace
    }

    fn ids(messages: &[&TracedMessage]) -> Vec<u64> {
        messages.iter().map(|message| message.id).collect()
    }

    #[test]
    fn the_first_and_the_last_messages_are_kept_and_each_knows_when_it_was_received() {
        for (count, kept, omitted) in
            [(5, vec![0, 1, 2, 3, 4], 0), (6, (0..6).collect(), 0), (100, vec![0, 1, 2, 97, 98, 99], 94)]
        {
            let trace = run(3, count);
            assert_eq!(trace.messages().map(|message| message.id).collect::<Vec<_>>(), kept);
            assert_eq!(trace.omitted(), omitted);
            for message in trace.messages() {
                assert_eq!(message.received, Some(message.sent + Duration::from_millis(500)));
            }
        }
    }

    #[test]
    fn messages_around_a_moment_or_the_time_of_which_none_was_kept() {
        let trace = run(10, 100);
        let around = |at: u64| trace.around(Duration::from_secs(at), 3, 2);
        let found = |at| around(at).map(|it| (ids(&it.before), ids(&it.after))).unwrap();
        assert_eq!(found(5), (vec![3, 4, 5], vec![6, 7]));
        assert_eq!(found(9), (vec![7, 8, 9], vec![]), "what came after was left out");
        assert_eq!(found(90), (vec![90], vec![91, 92]), "what came before was left out");
        assert_eq!(found(99), (vec![97, 98, 99], vec![]));
        let gap = Gap { from: Duration::from_secs(9), until: Duration::from_secs(90), omitted: 80 };
        assert_eq!(around(50), Err(gap));
        let whole = run(10, 20);
        let over_the_seam = whole.around(Duration::from_secs(10), 3, 2).unwrap();
        assert_eq!((ids(&over_the_seam.before), ids(&over_the_seam.after)), (vec![8, 9, 10], vec![11, 12]));
    }

    #[test]
    fn a_file_says_how_many_were_left_out_and_where() {
        let mut lines = Vec::new();
        run(2, 10).write_jsonl(&mut lines).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.lines().count(), 5);
        assert_eq!(lines.lines().nth(2), Some(r#"{"omitted":6}"#));
        let mut whole = Vec::new();
        run(5, 10).write_jsonl(&mut whole).unwrap();
        assert!(!String::from_utf8(whole).unwrap().contains("omitted"));
    }

    #[test]
    fn a_long_body_is_cut_also_within_a_character() {
        let mut trace = Trace::keeping(1);
        let body = format!("a{}", "é".repeat(Trace::BODY));
        trace.sent(Duration::ZERO, 0, Endpoint::Node(0), Endpoint::Node(1), &body);
        assert_eq!(trace.messages().next().unwrap().body.len(), Trace::BODY - 1);
    }
}
