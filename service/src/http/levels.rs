//! Levels of reads: what a read must have, and what an answer says of that.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use embedded::{Counters, Done, Name, NodeId, Reply, Seen, Until, Version};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use utoipa::ToSchema;

use super::call::Call;
use super::problem::{Kind, Problem};

/// The header in which a client is told what it has seen, and tells that to the next node.
const VERSION: HeaderName = HeaderName::from_static("counter-version");

/// The header that says how fresh a read is.
const FRESH: HeaderName = HeaderName::from_static("counter-fresh");

/// The longest time that a read may wait.
const MOST: Duration = Duration::from_secs(4);

/// Which nodes a read asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Read {
    /// None.
    #[default]
    Local,
    /// All: it has every change that any node has acknowledged before.
    All,
}

/// How long a read may wait, as `500ms` or `2s`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeout(Duration);

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let timeout = humantime::parse_duration(&text).ok().filter(|timeout| *timeout <= MOST);
        timeout.map(Self).ok_or_else(|| D::Error::custom("timeout is a time up to 4s, such as 500ms"))
    }
}

/// What a read must have, besides what the client has seen.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) read: Read,
    /// So large a value of this counter.
    pub(super) at_least: Option<(Name, i64)>,
    pub(super) timeout: Timeout,
}

impl Call {
    /// What the client has seen, as it says.
    pub(super) fn seen(&self) -> Result<Version, Problem> {
        let mut given = self.headers().get_all(VERSION).iter();
        match (given.next(), given.next()) {
            (None, _) => Ok(Version::default()),
            (Some(text), None) => {
                let version = text.to_str().ok().and_then(|text| text.parse().ok());
                version.ok_or_else(|| {
                    Problem::malformed(
                        "Counter-Version: send the text of an earlier answer as it was, or leave it out",
                    )
                })
            }
            (Some(_), Some(_)) => Err(Problem::malformed("there is more than one Counter-Version")),
        }
    }

    /// Waits until this node shows what a read must have. Returns what the client has seen before.
    pub(super) fn reach(&self, level: Level) -> impl Future<Output = Result<Version, Problem>> + use<> {
        let (seen, counters) = (self.seen(), self.counters().clone());
        async move {
            let seen = seen?;
            let Level { read, at_least, timeout: Timeout(within) } = level;
            let at_least = at_least.map(|(counter, value)| Until::AtLeast(counter, value.into()));
            let untils = [
                (!seen.is_empty()).then(|| seen.clone().until()),
                (read == Read::All).then_some(Until::AllTold),
                at_least,
            ];
            if untils.iter().any(Option::is_some) {
                let answers = counters.submit(|session| {
                    untils.into_iter().flatten().for_each(|until| session.wait_until(until, within));
                });
                for answer in answers.await {
                    is_reached(answer?, &counters)?;
                }
            }
            Ok(seen)
        }
    }

    /// What the client has seen, if there is room in it for a change of this node.
    pub(super) fn seen_before_change(&self) -> Result<Version, Problem> {
        let seen = self.seen()?;
        if self.counters().has_room_in(&seen) {
            return Ok(seen);
        }
        Err(Problem::malformed(
            "Counter-Version is full: it names too many nodes. Send the change without it, and read with read=all",
        ))
    }
}

/// Whether a read may be answered now that it has waited.
fn is_reached(done: Done, counters: &Counters) -> Result<(), Problem> {
    let Reply::NotReached(nodes) = done.reply else { return Ok(()) };
    let what = if nodes.is_empty() {
        "the value is not so large yet".to_owned()
    } else {
        format!(
            "this node does not show yet all that the read must have. Missing is what these nodes know: {}",
            named(&nodes, counters)
        )
    };
    Err(Problem::new(
        Kind::NotReached,
        format!("{what}. Try again, with a longer timeout, or read what this node shows"),
    ))
}

/// The names of nodes, each with how long it was not heard.
fn named(nodes: &[NodeId], counters: &Counters) -> String {
    let (peers, me) = (counters.peers(), counters.status().node);
    let mut text = String::new();
    for node in nodes {
        let peer = peers.iter().find(|peer| peer.node == node.as_str());
        let about = match peer.map(|peer| peer.heard) {
            Some(Some(heard)) => {
                format!("not heard for {}", humantime::format_duration(Duration::from_millis(millis(heard))))
            }
            Some(None) => "not heard since this node started".to_owned(),
            None if *node.as_str() == me => "this node: it has lost that, or is not ready".to_owned(),
            None => "no node of the cluster now".to_owned(),
        };
        let comma = if text.is_empty() { "" } else { ", " };
        // A text takes all that is written.
        let _written = write!(text, "{comma}{node} ({about})");
    }
    text
}

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Says with a read what the client has seen now, of one counter or of all, and how fresh that is. `before` is what it had seen
/// before.
pub(super) fn mark_read(
    mut response: Response,
    counters: &Counters,
    counter: Option<&str>,
    before: &Version,
) -> Response {
    let Seen { mut version, complete } = counters.seen(counter);
    version.merge(before);
    // If that is too long, the client keeps what it has seen before.
    if let Some(text) = version.to_text().or_else(|| before.to_text()) {
        mark(&mut response, VERSION, &text);
    }
    let fresh = complete.map_or_else(|| "unknown".to_owned(), |complete| millis(complete).to_string());
    mark(&mut response, FRESH, &fresh);
    response
}

/// Says with a change what the client has seen now.
pub(super) fn mark_change(response: &mut Response, seen: &Version) {
    if let Some(text) = seen.to_text() {
        mark(response, VERSION, &text);
    }
}

fn mark(response: &mut Response, name: HeaderName, text: &str) {
    // Letters, digits, `-` and `_` can stand in a header.
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}
