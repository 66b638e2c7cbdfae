//! SCAN, DBSIZE, INFO and WAIT: commands that look at many counters, or at the server, or wait.

use std::time::Duration;

use embedded::{AckPolicy, Name, Until};

use super::connection::Connection;
use super::counting::integer;
use super::glob::Glob;
use super::handshake::REDIS_VERSION;
use super::refusals::{Problem, SYNTAX, refused};
use super::replies::Replies;
use super::requests::Command;
use super::table::Lists;
use crate::access::Scope;
use crate::metrics::{Kind, Protocol};

/// So many counters are looked at before others get a turn.
const PAGE: usize = 1_000;
/// No WAIT waits longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// One SCAN looks at no more.
const MAX_COUNT: i64 = 10_000;

const NO_PERMISSION: Problem = Problem::new("NOPERM", "this token has no permissions to read all counters");

/// Handles a command.
pub(super) async fn handle(
    list: Lists,
    command: Command<'_>,
    connection: &Connection<'_>,
    replies: &mut Replies,
) {
    let result = match list {
        Lists::Scan => scan(command, connection, replies).await,
        Lists::DbSize => dbsize(connection, replies).await,
        Lists::Info => info(command, connection, replies),
        Lists::Wait => wait(command, connection, replies).await,
    };
    if let Err(problem) = result {
        replies.problem(&problem);
    }
}

/// `WAIT nodes milliseconds`: waits until so many other nodes are known to have what this connection has changed. 0 milliseconds: as
/// long as may be.
async fn wait(
    command: Command<'_>,
    connection: &Connection<'_>,
    replies: &mut Replies,
) -> Result<(), Problem> {
    let (peers, time) = wait_for(command)?;
    let within = if time.is_zero() { LONGEST_WAIT } else { time.min(LONGEST_WAIT) };
    let until = Until::Held { peers, number: connection.changed };
    match connection.app.counters.wait_until(until, within).await {
        Ok(reply) => replies.count(reply.held()),
        Err(refusal) => return Err(refused(refusal)),
    }
    Ok(())
}

/// The arguments of WAIT: how many nodes, and how long.
pub(super) fn wait_for(command: Command<'_>) -> Result<(usize, Duration), Problem> {
    let peers = usize::try_from(integer(command.get(1))?).unwrap_or_default();
    let time =
        integer(command.get(2)).map_err(|_| Problem::err("timeout is not an integer or out of range"))?;
    let time = u64::try_from(time).map_err(|_| Problem::err("timeout is negative"))?;
    Ok((peers, Duration::from_millis(time)))
}

/// Whether the client may read this counter, or all counters with this prefix.
fn may_read(connection: &Connection<'_>, name: &str) -> bool {
    connection.client.is_some_and(|client| client.may(Scope::Read, name))
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`. The cursor is the place of the next counter, in the order in which
/// their names came here. New names come behind it, and none is removed. So a scan finds each counter that was there all the while.
async fn scan(
    command: Command<'_>,
    connection: &Connection<'_>,
    replies: &mut Replies,
) -> Result<(), Problem> {
    let cursor = std::str::from_utf8(command.get(1)).ok().and_then(|cursor| cursor.parse::<u64>().ok());
    let cursor = cursor.ok_or(Problem::err("invalid cursor"))?;
    let (mut pattern, mut count, mut is_string) = (None, 10, true);
    let mut number = 2;
    while number < command.len() {
        let (option, value) = (command.get(number), command.get(number + 1));
        if number + 1 == command.len() {
            return Err(SYNTAX);
        } else if option.eq_ignore_ascii_case(b"match") {
            pattern = Some(Glob::new(value)?);
        } else if option.eq_ignore_ascii_case(b"count") {
            count = integer(value)?;
        } else if option.eq_ignore_ascii_case(b"type") {
            is_string = value.eq_ignore_ascii_case(b"string");
        } else {
            return Err(SYNTAX);
        }
        number += 2;
    }
    let mut left = usize::try_from(count.min(MAX_COUNT)).ok().filter(|count| *count > 0).ok_or(SYNTAX)?;
    let mut names: Vec<Name> = Vec::new();
    let mut next = usize::try_from(cursor).ok();
    while let Some(from) = next.filter(|_| left > 0) {
        let page = left.min(PAGE);
        next = connection.app.counters.scan(from, page, |name| {
            let is_wanted = is_string && pattern.as_ref().is_none_or(|pattern| pattern.matches(name));
            if is_wanted && may_read(connection, name) {
                names.push(name.into());
            }
        });
        left -= page;
        tokio::task::yield_now().await;
    }
    replies.array(2);
    replies.bulk(next.unwrap_or_default().to_string());
    replies.array(names.len());
    for name in &names {
        replies.bulk(&**name);
    }
    Ok(())
}

/// `DBSIZE`: looks at all counters, to leave out those that were reset.
async fn dbsize(connection: &Connection<'_>, replies: &mut Replies) -> Result<(), Problem> {
    if !may_read(connection, "") {
        return Err(NO_PERMISSION);
    }
    let (mut count, mut next) = (0, Some(0));
    while let Some(from) = next {
        next = connection.app.counters.scan(from, PAGE, |_| count += 1);
        tokio::task::yield_now().await;
    }
    replies.count(count);
    Ok(())
}

/// `INFO [section...]`
fn info(command: Command<'_>, connection: &Connection<'_>, replies: &mut Replies) -> Result<(), Problem> {
    if !may_read(connection, "") {
        return Err(NO_PERMISSION);
    }
    let wanted: Vec<_> =
        command.from(1).map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()).collect();
    let is_all = wanted.iter().any(|name| matches!(&**name, "all" | "default" | "everything"));
    let mut text = String::new();
    for (title, lines) in sections(connection) {
        if wanted.is_empty() || is_all || wanted.contains(&title.to_ascii_lowercase()) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            text.extend(["# ", title, "\r\n"]);
            for (key, value) in lines {
                text.extend([key, ":", value.as_str(), "\r\n"]);
            }
        }
    }
    replies.text(&text);
    Ok(())
}

type Section = (&'static str, Vec<(&'static str, String)>);

fn sections(connection: &Connection<'_>) -> [Section; 6] {
    let app = connection.app;
    let status = app.counters.status();
    let flag = |is_so: bool| u8::from(is_so).to_string();
    let is_synced = app.config.ack != AckPolicy::Memory;
    let keyspace = format!("keys={},expires=0,avg_ttl=0", status.counters);
    [
        (
            "Server",
            vec![
                ("redis_version", REDIS_VERSION.into()),
                ("redis_mode", "standalone".into()),
                ("counterd_version", env!("CARGO_PKG_VERSION").into()),
                ("counterd_node", status.node),
                ("process_id", std::process::id().to_string()),
                ("uptime_in_seconds", app.started.elapsed().as_secs().to_string()),
            ],
        ),
        (
            "Clients",
            vec![
                ("connected_clients", app.metrics.open(Protocol::Redis).to_string()),
                ("maxclients", app.config.max_connections.to_string()),
            ],
        ),
        (
            "Persistence",
            vec![
                ("loading", flag(!status.is_ready)),
                ("aof_enabled", flag(is_synced)),
                ("aof_last_write_status", if status.is_store_down { "err" } else { "ok" }.into()),
                ("counterd_ack", app.config.ack.as_str().into()),
                ("counterd_commits", status.store.commits.to_string()),
                ("counterd_syncs", status.store.syncs.to_string()),
                ("counterd_unstored", status.unstored.to_string()),
                ("counterd_bytes", status.store.bytes.to_string()),
            ],
        ),
        ("Stats", vec![("total_commands_processed", app.metrics.handled(Kind::Redis).to_string())]),
        ("Replication", vec![("role", "master".into()), ("connected_slaves", "0".into())]),
        ("Keyspace", vec![("db0", keyspace)]),
    ]
}
