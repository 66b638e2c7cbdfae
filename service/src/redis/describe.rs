//! COMMAND, CONFIG and SELECT: what the server is.

use embedded::AckPolicy;

use super::connection::wrong_number;
use super::counting::integer;
use super::glob::Glob;
use super::refusals::Problem;
use super::replies::Replies;
use super::requests::Command;
use super::table::{self, COMMANDS, Kind, Spec};
use crate::config::Config;

/// `COMMAND`, `COMMAND COUNT`, `DOCS`, `GETKEYS`, `INFO` and `LIST`.
pub(super) fn command(command: Command<'_>, replies: &mut Replies) -> Result<(), Problem> {
    let subcommand = command.subcommand();
    match (&*subcommand, command.len()) {
        (_, 1) | ("info", 2) => {
            replies.array(COMMANDS.len());
            for spec in &COMMANDS {
                info(spec, replies);
            }
        }
        ("count", 2) => replies.count(COMMANDS.len()),
        ("list", 2) => {
            replies.array(COMMANDS.len());
            for spec in &COMMANDS {
                replies.bulk(spec.name);
            }
        }
        ("info", _) => {
            replies.array(command.len() - 2);
            for name in command.from(2) {
                match table::find(name) {
                    Some(spec) => info(spec, replies),
                    None => replies.nil_array(),
                }
            }
        }
        ("docs", 2) => docs(&COMMANDS.iter().collect::<Vec<_>>(), replies),
        ("docs", _) => docs(&command.from(2).filter_map(table::find).collect::<Vec<_>>(), replies),
        ("getkeys", 3..) => keys(command.behind(2), replies)?,
        ("count" | "list" | "getkeys", _) => return Err(wrong_number(&format!("command|{subcommand}"))),
        _ => {
            return Err(Problem::told(format!(
                "unknown subcommand '{subcommand}': there are COMMAND COUNT, DOCS, GETKEYS, INFO and LIST"
            )));
        }
    }
    Ok(())
}

fn info(spec: &Spec, replies: &mut Replies) {
    let (first, last, step) = spec.keys;
    replies.array(10);
    replies.bulk(spec.name);
    replies.integer(spec.arity.into());
    replies.set(spec.flags.len());
    spec.flags.iter().for_each(|flag| replies.simple(flag));
    for place in [first, last, step] {
        replies.integer(place.into());
    }
    // Neither categories, tips, key specifications nor subcommands.
    replies.set(0);
    (0..3).for_each(|_| replies.array(0));
}

fn docs(specs: &[&Spec], replies: &mut Replies) {
    replies.map(specs.len());
    for spec in specs {
        let group = match spec.kind {
            Kind::Counts(_) => "string",
            Kind::Connects(_) => "connection",
            Kind::Lists(_) => "server",
        };
        replies.bulk(spec.name);
        replies.map(3);
        for (key, value) in [("summary", spec.summary), ("since", "1.0.0"), ("group", group)] {
            replies.bulk(key);
            replies.bulk(value);
        }
    }
}

fn keys(command: Command<'_>, replies: &mut Replies) -> Result<(), Problem> {
    let spec = table::find(command.get(0)).ok_or(Problem::err("Invalid command specified"))?;
    if !spec.accepts(command.len()) {
        return Err(Problem::err("Invalid number of arguments specified for command"));
    }
    let count = match spec.keys {
        (0, ..) => return Err(Problem::err("The command has no key arguments")),
        (_, last, _) if last < 0 => command.len() - 1,
        _ => 1,
    };
    replies.array(count);
    command.from(1).take(count).for_each(|key| replies.bulk(key));
    Ok(())
}

/// `CONFIG GET pattern...`
pub(super) fn config(config: &Config, command: Command<'_>, replies: &mut Replies) -> Result<(), Problem> {
    let subcommand = command.subcommand();
    match (&*subcommand, command.len()) {
        ("get", 3..) => {}
        ("get", _) => return Err(wrong_number("config|get")),
        ("set" | "rewrite" | "resetstat", _) => {
            return Err(Problem::err(
                "'config' only tells settings: set them by flags or in the configuration file, and start counterd again",
            ));
        }
        _ => return Err(Problem::told(format!("unknown subcommand '{subcommand}': there is CONFIG GET"))),
    }
    let is_synced = config.ack != AckPolicy::Memory;
    let settings = [
        ("appendfsync", "always".to_owned()),
        ("appendonly", if is_synced { "yes" } else { "no" }.to_owned()),
        ("databases", "1".to_owned()),
        ("maxclients", config.max_connections.to_string()),
        ("maxmemory", "0".to_owned()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("proto-max-bulk-len", config.max_body.to_string()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ];
    let patterns = command.from(2).map(Glob::new).collect::<Result<Vec<_>, _>>()?;
    let found = settings.iter().filter(|(name, _)| patterns.iter().any(|pattern| pattern.matches(name)));
    let found: Vec<_> = found.collect();
    replies.map(found.len());
    for (name, value) in found {
        replies.bulk(name);
        replies.bulk(value);
    }
    Ok(())
}

/// `SELECT 0`
pub(super) fn select(command: Command<'_>, replies: &mut Replies) -> Result<(), Problem> {
    if integer(command.get(1))? != 0 {
        return Err(Problem::err("DB index is out of range"));
    }
    replies.ok();
    Ok(())
}
