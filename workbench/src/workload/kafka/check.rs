//! The anomalies of logs. Their names are those of Jepsen's tests of Kafka, where these have one.
//!
//! A log is known by the offsets that sends and polls have told. It has no order in time: a node may show a message as late as it
//! likes. But who is shown an offset must have been shown all before it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{FRUITLESS, OfLogs, Offsets, offsets, polled, told};
use crate::answer::Answer;
use crate::check::{Check, Violations};
use crate::envelope::short;
use crate::history::{History, Moment, Operation, Outcome};
use crate::json::Json;
use crate::words::Seconds;

/// What is known of one log.
#[derive(Default)]
struct Log<'a> {
    /// The messages at each offset, each with the operation that told of it first.
    told: BTreeMap<i64, BTreeMap<Json, &'a Operation>>,
    /// The offsets of each message.
    places: BTreeMap<Json, BTreeSet<i64>>,
    /// The messages that clients sent to it.
    sent: BTreeMap<Json, &'a Operation>,
    /// The offsets that a poll has shown, and the messages.
    shown: BTreeSet<i64>,
    seen: BTreeSet<Json>,
    /// Where the polls of the end began that showed nothing.
    ends: Vec<i64>,
}

type Logs<'a> = BTreeMap<&'a str, Log<'a>>;

/// Finds all anomalies. Takes O(n log n) for n messages that are sent and shown.
pub(super) fn check_logs(history: &History, violations: &mut Violations) {
    let polls: Vec<Poll<'_>> = history.operations().iter().filter_map(Poll::of).collect();
    let logs = read(history, &polls);
    for (key, log) in &logs {
        log.check_messages(key, violations);
        log.check_offsets(key, violations);
    }
    let mut skips = BTreeMap::new();
    for poll in &polls {
        poll.check(&logs, &mut skips, violations);
    }
    for ((anomaly, _, _), Skip { poll, text, count }) in skips {
        let more = if count > 1 { format!(" ({count} polls skip it)") } else { String::new() };
        violations.record_anomaly(Check::Anomalies, anomaly, poll.ended(), format!("{text}{more}"));
    }
    check_sends(history, violations);
    check_commits(history, violations);
}

/// A poll that was answered.
struct Poll<'a> {
    operation: &'a Operation,
    from: &'a Offsets,
    msgs: BTreeMap<String, Vec<(i64, Json)>>,
}

/// An offset that polls skip: the first such poll.
struct Skip<'a> {
    poll: &'a Operation,
    text: String,
    count: u64,
}

/// By anomaly, log and skipped offset.
type Skips<'a> = BTreeMap<(&'static str, String, i64), Skip<'a>>;

fn read<'a>(history: &'a History, polls: &'a [Poll<'a>]) -> Logs<'a> {
    let mut logs = Logs::new();
    for operation in history.operations() {
        let Some(OfLogs::Send { key, message }) = operation.request.get() else { continue };
        let log = logs.entry(key).or_default();
        log.sent.insert(Json::from(*message), operation);
        if let Some(Answer::Integer(offset)) = operation.answer() {
            log.tell(*offset, &Json::from(*message), operation);
        }
    }
    for Poll { operation, from, msgs } in polls {
        let shows_nothing = |key: &String| msgs.get(key).is_none_or(Vec::is_empty);
        for (key, from) in from.iter().filter(|(key, _)| operation.is_final && shows_nothing(key)) {
            logs.entry(key).or_default().ends.push(*from);
        }
        for (key, pairs) in msgs {
            let log = logs.entry(key).or_default();
            for (offset, message) in pairs {
                log.tell(*offset, message, operation);
                log.shown.insert(*offset);
                log.seen.insert(message.clone());
            }
        }
    }
    logs
}

impl<'a> Log<'a> {
    fn tell(&mut self, offset: i64, message: &Json, by: &'a Operation) {
        self.told.entry(offset).or_default().entry(message.clone()).or_insert(by);
        self.places.entry(message.clone()).or_default().insert(offset);
    }

    /// Whether each message was sent, is shown, and stands at one place.
    fn check_messages(&self, key: &str, violations: &mut Violations) {
        for message in self.places.keys().filter_map(|message| self.message(key, message)) {
            message.check_sender(violations);
            message.check_places(violations);
            message.check_fate(self, violations);
        }
    }

    fn message<'m>(&'m self, key: &'m str, message: &'m Json) -> Option<Message<'m>> {
        let places = self.places.get(message)?;
        let told_at = |offset: &i64| self.told.get(offset)?.get(message).copied();
        Some(Message {
            key,
            name: short(message.as_str()),
            places,
            first: told_at(places.first()?)?,
            last: told_at(places.last()?)?,
            send: self.sent.get(message).copied(),
            is_shown: self.seen.contains(message),
        })
    }

    /// Whether each offset has one message.
    fn check_offsets(&self, key: &str, violations: &mut Violations) {
        for (offset, messages) in self.told.iter().filter(|(_, messages)| messages.len() > 1) {
            let each =
                messages.iter().map(|(message, by)| format!("{}, {}", short(message.as_str()), how(by)));
            let list = each.collect::<Vec<_>>().join("; ");
            let at = messages.values().filter_map(|by| by.ended()).max();
            let text = format!("offset {offset} of log {key} has {} messages: {list}", messages.len());
            violations.record_anomaly(Check::Anomalies, "inconsistent-offsets", at, text);
        }
    }

    /// Whether clients polled for that offset in the end until they gave up.
    fn is_read_out(&self, offset: i64) -> bool {
        self.ends.iter().filter(|from| **from <= offset).count() >= FRUITLESS as usize
    }

    /// An offset that some poll has shown, from `from` and before `until`.
    fn shown_between(&self, from: i64, until: i64) -> Option<i64> {
        if from < until { self.shown.range(from..until).next().copied() } else { None }
    }
}

/// A message of one log.
struct Message<'a> {
    key: &'a str,
    name: String,
    /// Its offsets, and which operations told of the lowest one and of the highest one.
    places: &'a BTreeSet<i64>,
    first: &'a Operation,
    last: &'a Operation,
    send: Option<&'a Operation>,
    is_shown: bool,
}

impl Message<'_> {
    fn check_sender(&self, violations: &mut Violations) {
        let Self { key, name, first, .. } = self;
        let mut record = |anomaly, why: String| {
            let text = format!("{} showed message {name} in log {key}, which {why}", node(first));
            violations.record_anomaly(Check::FurtherAnomalies, anomaly, first.ended(), text);
        };
        match self.send.map(|send| (send, send.outcome())) {
            None => record("invented-message", "nobody had sent there".to_owned()),
            Some((send, Some(Outcome::Refused { code, definite: true, .. }))) if self.is_shown => {
                record("aborted-read", format!("{} had refused with error {code}", send.place()));
            }
            Some(_) => {}
        }
    }

    fn check_places(&self, violations: &mut Violations) {
        let Self { key, name, places, first, last, .. } = self;
        if places.len() > 1 {
            let list = places.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            let (one, other) = (how(first), how(last));
            let text = format!("message {name} is in log {key} at the offsets {list}: {one}, and {other}");
            let at = first.ended().max(last.ended());
            violations.record_anomaly(Check::Anomalies, "duplicate", at, text);
        }
    }

    /// Whether an acknowledged message was ever shown.
    fn check_fate(&self, log: &Log<'_>, violations: &mut Violations) {
        let Some(send) = self.send.filter(|send| send.is_ok() && !self.is_shown) else { return };
        let Some(offset) = self.places.first() else { return };
        let (anomaly, why) = match log.shown.last() {
            Some(highest) if highest > offset => {
                ("lost-write", format!("polls showed offsets up to {highest}, and none showed this one"))
            }
            Some(_) | None if log.is_read_out(*offset) => (
                "unseen",
                "no poll ever showed it, though clients polled for it in the end again and again".to_owned(),
            ),
            Some(_) | None => return,
        };
        let (sender, name, key) = (send.place(), &self.name, self.key);
        let text = format!("{sender} acknowledged message {name} at offset {offset} of log {key}; {why}");
        violations.record_anomaly(Check::Anomalies, anomaly, send.ended(), text);
    }
}

fn node(operation: &Operation) -> String {
    format!("n{}", operation.node)
}

/// How a message got known: "n0 acknowledged it at 1.234 s".
fn how(by: &Operation) -> String {
    let did = if by.request.is_read() { "showed" } else { "acknowledged" };
    let at = by.ended().map_or_else(String::new, |at| format!(" at {}", Seconds(at)));
    format!("n{} {did} it{at}", by.node)
}

impl<'a> Poll<'a> {
    fn of(operation: &'a Operation) -> Option<Self> {
        let Some(OfLogs::Poll(from)) = operation.request.get() else { return None };
        Some(Self { operation, from, msgs: told(operation, polled)? })
    }

    fn check(&self, logs: &Logs<'a>, skips: &mut Skips<'a>, violations: &mut Violations) {
        for (key, pairs) in self.msgs.iter().filter(|(_, pairs)| !pairs.is_empty()) {
            let Some(log) = logs.get(key.as_str()) else { continue };
            let by = node(self.operation);
            let Some(from) = self.from.get(key) else {
                let text = format!("{by} showed messages of log {key}, which the poll did not ask for");
                violations.record_anomaly(
                    Check::FurtherAnomalies,
                    "unasked-log",
                    self.operation.ended(),
                    text,
                );
                continue;
            };
            let (mut next, mut before) = (*from, None);
            for (offset, _) in pairs {
                let after = before.map_or_else(String::new, |before| format!(" offset {before} and then"));
                let text = format!(
                    "{by} answered a poll of log {key} from offset {from} with{after} offset {offset}"
                );
                if *offset < next {
                    let anomaly =
                        if before.is_some() { "int-nonmonotonic-poll" } else { "nonmonotonic-poll" };
                    violations.record_anomaly(Check::Anomalies, anomaly, self.operation.ended(), text);
                } else if let Some(skipped) = log.shown_between(next, *offset) {
                    let anomaly = if before.is_some() { "int-poll-skip" } else { "poll-skip" };
                    let text = format!("{text}, and left out offset {skipped}, which is there");
                    self.skip(anomaly, key, skipped, text, skips);
                }
                (next, before) = (offset.saturating_add(1), Some(*offset));
            }
        }
    }

    fn skip(&self, anomaly: &'static str, key: &str, offset: i64, text: String, skips: &mut Skips<'a>) {
        match skips.entry((anomaly, key.to_owned(), offset)) {
            Entry::Vacant(entry) => {
                entry.insert(Skip { poll: self.operation, text, count: 1 });
            }
            Entry::Occupied(mut entry) => entry.get_mut().count += 1,
        }
    }
}

/// Whether the offsets that one client gets for its sends to a log grow.
fn check_sends(history: &History, violations: &mut Violations) {
    let mut last: BTreeMap<(u64, &str), (i64, &Operation)> = BTreeMap::new();
    for send in history.operations() {
        let Some(OfLogs::Send { key, message }) = send.request.get() else { continue };
        let Some(Answer::Integer(offset)) = send.answer() else { continue };
        if let Some((before, earlier)) = last.insert((send.process, key), (*offset, send))
            && *offset <= before
        {
            let text = format!(
                "n{} gave message {message} of log {key} offset {offset}, after {} had given the same client offset {before}",
                send.node,
                earlier.place()
            );
            violations.record_anomaly(Check::Anomalies, "nonmonotonic-send", send.ended(), text);
        }
    }
}

/// The commits of one log, as far as they are known at a moment.
#[derive(Default)]
struct Commits<'a> {
    /// The highest offset that a client has asked to commit.
    asked: Option<i64>,
    /// The highest one that was acknowledged or listed, and by which operation.
    known: Option<(i64, &'a Operation)>,
}

impl<'a> Commits<'a> {
    fn know(&mut self, offset: i64, by: &'a Operation) {
        if self.known.is_none_or(|(known, _)| known < offset) {
            self.known = Some((offset, by));
        }
    }
}

/// Whether what is listed as committed was committed, and never goes back.
fn check_commits(history: &History, violations: &mut Violations) {
    let mut commits: BTreeMap<String, Commits<'_>> = BTreeMap::new();
    // What each list must show, for it was known when the list was asked for.
    let mut floors: BTreeMap<usize, BTreeMap<String, (i64, &Operation)>> = BTreeMap::new();
    for moment in history.moments() {
        let (Moment::Invoked(number) | Moment::Completed(number)) = *moment else { continue };
        let Some(operation) = history.operations().get(number) else { continue };
        match (operation.request.get(), moment) {
            (Some(OfLogs::Commit(offsets)), Moment::Invoked(_)) => {
                for (key, offset) in offsets {
                    let commits = commits.entry(key.clone()).or_default();
                    commits.asked = commits.asked.max(Some(*offset));
                }
            }
            (Some(OfLogs::Commit(offsets)), _) if operation.is_ok() => {
                for (key, offset) in offsets {
                    commits.entry(key.clone()).or_default().know(*offset, operation);
                }
            }
            (Some(OfLogs::List(keys)), Moment::Invoked(_)) => {
                let floor = |key: &String| Some((key.clone(), commits.get(key)?.known?));
                floors.insert(number, keys.iter().filter_map(floor).collect());
            }
            (Some(OfLogs::List(_)), _) => {
                let floors = floors.remove(&number).unwrap_or_default();
                check_list(operation, &floors, &mut commits, violations);
            }
            _ => {}
        }
    }
}

fn check_list<'a>(
    list: &'a Operation,
    floors: &BTreeMap<String, (i64, &Operation)>,
    commits: &mut BTreeMap<String, Commits<'a>>,
    violations: &mut Violations,
) {
    let Some(listed) = told(list, offsets) else { return };
    for (key, (floor, by)) in floors {
        let offset = listed.get(key);
        if offset.is_none_or(|offset| offset < floor) {
            let offset = offset.map_or_else(|| "no offset".to_owned(), |offset| format!("offset {offset}"));
            let did = if by.request.is_read() { "listed" } else { "acknowledged" };
            let text = format!(
                "n{} listed {offset} as committed of log {key}, after offset {floor} was {did} by {}",
                list.node,
                by.place()
            );
            violations.record_anomaly(Check::FurtherAnomalies, "commit-goes-back", list.ended(), text);
        }
    }
    for (key, offset) in listed {
        let known = commits.entry(key.clone()).or_default();
        if known.asked.is_none_or(|asked| asked < offset) {
            let asked =
                known.asked.map_or_else(|| "nothing".to_owned(), |asked| format!("at most offset {asked}"));
            let text = format!(
                "n{} listed offset {offset} as committed of log {key}; until then clients had committed {asked} there",
                list.node
            );
            violations.record_anomaly(Check::FurtherAnomalies, "invented-commit", list.ended(), text);
        } else {
            known.know(offset, list);
        }
    }
}
