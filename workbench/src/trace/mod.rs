//! The messages of a run, each with its times.

mod archive;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use self::archive::Archive;
use crate::endpoint::Endpoint;

/// The messages of a run, in the order of sending. Of each body it keeps the first 2,000 bytes.
///
/// The last 50,000 are kept as they are, and older ones compressed, up to 256 MB: that is some ten million usual messages. If there
/// are more it thins them out evenly. The messages around a moment that was marked in time stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    recent: VecDeque<TracedMessage>,
    older: Archive,
    /// When messages of the archive were received after all.
    late: BTreeMap<u64, Duration>,
    /// For each marked moment the number of the first message after it.
    marks: Vec<u64>,
    bounds: Bounds,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    recent: usize,
    /// Of the archive, in bytes.
    archived: usize,
    /// How many of the first and of the last messages the file has in full.
    written: u64,
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

impl Default for Trace {
    fn default() -> Self {
        Self::keeping(Bounds { recent: 50_000, archived: 256 << 20, written: 100_000 })
    }
}

impl Trace {
    /// How much of a body is kept, in bytes.
    const BODY: usize = 2000;
    /// The most marks, and the most receptions that are noted late.
    const MARKS: usize = 500;
    const LATE: usize = 100_000;

    fn keeping(bounds: Bounds) -> Self {
        let older = Archive::new(bounds.archived);
        Self { recent: VecDeque::new(), older, late: BTreeMap::new(), marks: Vec::new(), bounds }
    }

    /// How many messages were sent.
    pub(crate) fn count(&self) -> u64 {
        self.older.end() + self.recent.len() as u64
    }

    /// How many messages were left out because there were too many.
    pub fn omitted(&self) -> u64 {
        self.older.omitted()
    }

    /// Notes that a message was sent. Its number is its place, for numbers count up from 0 without gaps.
    pub(crate) fn sent(&mut self, now: Duration, id: u64, src: Endpoint, dest: Endpoint, body: &str) {
        debug_assert_eq!(id, self.count(), "no number is left out");
        let body = body.get(..body.floor_char_boundary(Self::BODY)).unwrap_or_default().into();
        if self.recent.len() >= self.bounds.recent
            && let Some(oldest) = self.recent.pop_front()
        {
            self.older.push(oldest, &self.marks);
        }
        self.recent.push_back(TracedMessage { id, src, dest, body, sent: now, received: None });
    }

    pub(crate) fn received(&mut self, now: Duration, id: u64) {
        match id.checked_sub(self.older.end()) {
            Some(place) => {
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                if let Some(message) = self.recent.get_mut(place) {
                    message.received.get_or_insert(now);
                }
            }
            None if self.late.len() < Self::LATE => {
                self.late.entry(id).or_insert(now);
            }
            None => {}
        }
    }

    /// Keeps the messages around this moment for good, if they are still kept. It costs most if it lies far back.
    pub(crate) fn mark(&mut self, at: Duration) {
        let mark = self.first_after(at);
        if self.marks.len() < Self::MARKS && !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
    }

    #[cfg(test)]
    pub(crate) fn marks(&self) -> &[u64] {
        &self.marks
    }

    /// The number of the first message that was sent after that moment.
    fn first_after(&self, at: Duration) -> u64 {
        match self.recent.front() {
            Some(first) if first.sent <= at => {
                self.older.end() + self.recent.partition_point(|message| message.sent <= at) as u64
            }
            _ => self.older.first_after(at),
        }
    }

    /// The last `before` messages up to that moment and the next `after` ones, or those of them that were kept.
    #[cfg(any(feature = "report", test))]
    pub(crate) fn around(&self, at: Duration, before: u64, after: u64) -> Vec<TracedMessage> {
        let middle = self.first_after(at);
        self.between(middle.saturating_sub(before), middle.saturating_add(after))
    }

    /// The kept ones of the messages with the numbers from `from` on and below `until`.
    pub(crate) fn between(&self, from: u64, until: u64) -> Vec<TracedMessage> {
        let mut messages = self.older.between(from, until);
        for message in &mut messages {
            message.received = message.received.or_else(|| self.late.get(&message.id).copied());
        }
        let place = |id: u64| usize::try_from(id.saturating_sub(self.older.end())).unwrap_or(usize::MAX);
        let (from, until) = (place(from).min(self.recent.len()), place(until).min(self.recent.len()));
        messages.extend(self.recent.range(from..until.max(from)).cloned());
        messages
    }

    /// Writes one JSON object a line and message. Times are in nanoseconds, and `received` is null if the message was not
    /// received. It writes the first 100,000 messages, the last 100,000, and those around each violation. A line such as
    /// `{"omitted":1200}` stands for messages that it leaves out.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        const AT_ONCE: usize = 10_000;
        let mut next = 0;
        for (from, until) in self.written_ranges() {
            for begin in (from..until).step_by(AT_ONCE) {
                for message in self.between(begin, until.min(begin + AT_ONCE as u64)) {
                    write_gap(next, message.id, out)?;
                    message.write(out)?;
                    next = message.id + 1;
                }
            }
        }
        write_gap(next, self.count(), out)
    }

    /// The numbers of the messages to write: ranges in ascending order that do not overlap.
    fn written_ranges(&self) -> Vec<(u64, u64)> {
        const AROUND: u64 = 1000;
        let (count, written) = (self.count(), self.bounds.written);
        let mut ranges = vec![(0, written.min(count)), (count.saturating_sub(written), count)];
        ranges
            .extend(self.marks.iter().map(|mark| (mark.saturating_sub(AROUND), (mark + AROUND).min(count))));
        ranges.sort_unstable();
        let mut end = 0;
        for (from, until) in &mut ranges {
            *from = (*from).max(end);
            end = end.max(*until);
        }
        ranges
    }
}

fn write_gap(next: u64, id: u64, out: &mut impl Write) -> io::Result<()> {
    if id > next { writeln!(out, "{}", json!({"omitted": id - next})) } else { Ok(()) }
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
mod tests;
