//! The names of all nodes that were ever listed, as they stand in the store: `["n0","n1"]`.
//!
//! A record that no list names would be missed by whoever reads all records. So before a process tells its replica of any
//! commit, the process's roster is on the list. That takes as long as the first commit does. With the open goes a
//! compare-and-set that makes the roster the list, if there is none yet. If there is one, it is read while the first
//! commit is on its way. Both take two round trips, so no add waits for the list. Only where the list lacks a name, because
//! the cluster has grown, one more round trip adds it.
//!
//! When `n` nodes start at once, one of them writes the list, for all. The others read it: `2n - 1` requests.
//!
//! These requests are sent again until they are answered. A list that can't be read is left alone, and the process works
//! without it. Then it tells nobody which nodes there are.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use replica::NodeId;
use replica::store::{Outcome, Token};
use serde_json::value::RawValue;
use tracing::{debug, error};

use super::refused;
use super::wire::{Repeated, Wire};
use crate::codec::cut;
use crate::config::{MAX_NODES, MAX_RECORD};
use crate::message::{KEY_DOES_NOT_EXIST, MsgId, PRECONDITION_FAILED, Reply, Say};
use crate::node::check_node_name;

/// Where they stand. No node is called so: its name has no slash.
const KEY: &str = "/nodes";

/// A longer list is read before it is written, for most likely it is there. So 1,000 nodes that start at once don't send it 1,000
/// times, to have it quoted back in as many refusals. The price is a third round trip at the very first start of a large cluster.
const MOST_NAMES_UNREAD: usize = 64;

/// The list of names, as one process uses it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// All nodes that this process was told of.
    roster: BTreeSet<NodeId>,
    state: State,
    /// The requests that are open.
    jobs: Vec<Job>,
}

/// Whether the roster is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The process has not opened its record yet.
    Ahead,
    /// Not known yet.
    Listing,
    Listed,
    /// There is something else in place of the list, or it has no room.
    Unusable,
}

/// A request about the list: to have the roster on it and, with a token, to tell all names.
#[derive(Debug, Clone)]
pub(super) struct Job {
    token: Option<Token>,
    /// The names after the compare-and-set that is open. `None` while the list is being read.
    writes: Option<BTreeSet<NodeId>>,
    sent: Repeated,
}

impl Names {
    pub(super) fn new(roster: BTreeSet<NodeId>) -> Self {
        Self { roster, state: State::Ahead, jobs: Vec::new() }
    }

    /// Whether the roster is on the list, or can't be.
    pub(super) fn are_listed(&self) -> bool {
        matches!(self.state, State::Listed | State::Unusable)
    }

    /// Puts the roster on the list. It does so once.
    pub(super) fn list_roster(&mut self, now: Duration, wire: &mut Wire) {
        if self.state == State::Ahead {
            self.state = State::Listing;
            if self.roster.len() > MOST_NAMES_UNREAD {
                return self.read(None, now, wire);
            }
            let nobody_asked = self.write((None, None), self.roster.clone(), now, wire);
            debug_assert!(nobody_asked.is_none());
        }
    }

    /// Tells all names, once the roster is among them.
    pub(super) fn ask(&mut self, token: Token, now: Duration, wire: &mut Wire) {
        self.read(Some(token), now, wire);
    }

    fn read(&mut self, token: Option<Token>, now: Duration, wire: &mut Wire) {
        let sent = wire.repeat(Say::StoreRead(KEY.into()), now);
        self.jobs.push(Job { token, writes: None, sent });
    }

    /// Writes the names in place of the list `from`. Returns how that ended, if it could not even begin.
    fn write(
        &mut self,
        (token, from): (Option<Token>, Option<Arc<RawValue>>),
        names: BTreeSet<NodeId>,
        now: Duration,
        wire: &mut Wire,
    ) -> Option<(Token, Outcome)> {
        match write(&names) {
            Ok(to) => {
                let sent = wire.repeat(Say::StoreCas { key: KEY.into(), from, to }, now);
                self.jobs.push(Job { token, writes: Some(names), sent });
                None
            }
            Err(problem) => self.give_up(token, &problem),
        }
    }

    /// Sends again what was not answered.
    pub(super) fn tick(&mut self, now: Duration, wire: &mut Wire) {
        self.jobs.iter_mut().for_each(|job| job.sent.tick(now, wire));
    }

    pub(super) fn next_tick(&self) -> Option<Duration> {
        self.jobs.iter().map(|job| job.sent.resend_at).min()
    }

    /// The request that was sent under this id.
    pub(super) fn take(&mut self, msg_id: MsgId) -> Option<Job> {
        let at = self.jobs.iter().position(|job| job.sent.sent_at(msg_id).is_some())?;
        Some(self.jobs.swap_remove(at))
    }

    /// Takes the reply to a request, and goes on with it. Returns how it ended, if somebody asked and it has.
    pub(super) fn reply(
        &mut self,
        job: Job,
        reply: &Reply<'_>,
        now: Duration,
        wire: &mut Wire,
    ) -> Option<(Token, Outcome)> {
        let token = job.token;
        match (job.writes, reply) {
            (Some(names), Reply::CasOk) => self.listed(token, names),
            // Others have written theirs meanwhile, or this process has, unheard.
            (Some(_), Reply::Error { code: PRECONDITION_FAILED | KEY_DOES_NOT_EXIST, .. }) => {
                self.read(token, now, wire);
                None
            }
            (None, Reply::ReadOk { value }) => match parse(value) {
                Ok(names) if names.is_superset(&self.roster) => self.listed(token, names),
                Ok(mut names) => {
                    names.extend(self.roster.iter().cloned());
                    self.write((token, Some(Arc::from((*value).to_owned()))), names, now, wire)
                }
                Err(problem) => self.give_up(token, &format!("{problem}: {}", cut(value.get()))),
            },
            (None, Reply::Error { code: KEY_DOES_NOT_EXIST, .. }) => {
                self.write((token, None), self.roster.clone(), now, wire)
            }
            (writes, other) => {
                debug!(answer = %cut(&other.to_string()), "the store refuses a request about the names");
                if token.is_none() {
                    // It goes out again when that is due.
                    self.jobs.push(Job { writes, ..job });
                }
                token.map(|token| (token, refused(other)))
            }
        }
    }

    fn listed(&mut self, token: Option<Token>, names: BTreeSet<NodeId>) -> Option<(Token, Outcome)> {
        self.state = State::Listed;
        token.map(|token| (token, Outcome::Nodes(names.into_iter().collect())))
    }

    /// The list can't be used.
    fn give_up(&mut self, token: Option<Token>, problem: &str) -> Option<(Token, Outcome)> {
        if std::mem::replace(&mut self.state, State::Unusable) != State::Unusable {
            error!(
                key = KEY,
                problem, "the list of all nodes is left alone: remove it, and each start adds to a new one"
            );
        }
        token.map(|token| (token, Outcome::NotDone))
    }
}

/// Reads the names.
///
/// # Errors
///
/// Why these are no names of nodes.
fn parse(value: &RawValue) -> Result<BTreeSet<NodeId>, String> {
    if value.get().len() > MAX_RECORD {
        return Err("it is too long".into());
    }
    let names: Vec<String> =
        serde_json::from_str(value.get()).map_err(|e| cut(&e.to_string()).into_owned())?;
    check_length(names.len())?;
    names.iter().try_for_each(|name| check_node_name(name))?;
    Ok(names.iter().map(|name| NodeId::from(name.as_str())).collect())
}

/// Writes the names.
///
/// # Errors
///
/// Why they can't be written.
fn write(names: &BTreeSet<NodeId>) -> Result<Arc<RawValue>, String> {
    check_length(names.len())?;
    let names: Vec<&str> = names.iter().map(NodeId::as_str).collect();
    serde_json::value::to_raw_value(&names).map(Arc::from).map_err(|e| e.to_string())
}

/// Each name on the list costs whoever reads all records a request.
fn check_length(names: usize) -> Result<(), String> {
    if names > MAX_NODES {
        return Err(format!("it has {names} names, and {MAX_NODES} is the most"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded() {
        let names = |count: usize| (0..count).map(|n| NodeId::from(format!("n{n}").as_str())).collect();
        let most = write(&names(MAX_NODES)).unwrap();
        assert!(parse(&most).is_ok() && write(&names(MAX_NODES + 1)).is_err());
        assert!(read(&most.get().replacen('[', "[\"n\",", 1)).is_err());
    }

    fn read(text: &str) -> Result<BTreeSet<NodeId>, String> {
        parse(&RawValue::from_string(text.into()).unwrap())
    }

    #[test]
    fn is_read_as_it_was_written() {
        for text in ["[]", r#"["n0"]"#, r#"["n0","n1","ü"]"#] {
            assert_eq!(write(&read(text).unwrap()).unwrap().get(), text);
        }
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        for text in ["null", "3", "{}", r#""n0""#, "[3]", r#"[""]"#, r#"["n0/barrier"]"#, r#"["/nodes"]"#] {
            assert!(read(text).is_err(), "{text} was read as names");
        }
        assert!(read(&format!("[{}]", " ".repeat(MAX_RECORD))).is_err());
    }
}
