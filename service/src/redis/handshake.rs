//! AUTH, HELLO and CLIENT: who a client is, and which version of the protocol it speaks.

use std::str;

use super::connection::{Connection, wrong_number};
use super::counting::integer;
use super::refusals::Problem;
use super::replies::Replies;
use super::requests::Command;

/// The version of Redis whose commands these are. Clients look at it to learn what they may use.
pub(super) const REDIS_VERSION: &str = "7.0.0";

const WRONG_PASS: Problem = Problem::new("WRONGPASS", "invalid username-password pair or user is disabled.");
const NO_PASSWORD: Problem = Problem::err(
    "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
);
const HELLO_NO_AUTH: Problem = Problem::new(
    "NOAUTH",
    "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
);
const NO_PROTO: Problem = Problem::new("NOPROTO", "unsupported protocol version");
const BAD_NAME: Problem = Problem::err("Client names cannot contain spaces, newlines or special characters.");
const SUBCOMMANDS: &str = "CLIENT ID, GETNAME, SETNAME, SETINFO, INFO, NO-EVICT, NO-TOUCH and REPLY ON";

/// `AUTH [user] token`. The token says who the client is; the user's name says nothing.
pub(super) fn auth(
    connection: &mut Connection<'_>,
    command: Command<'_>,
    replies: &mut Replies,
) -> Result<(), Problem> {
    match command.len() {
        2 if !connection.app.access.needs_token() => return Err(NO_PASSWORD),
        2 => log_in(connection, b"default", command.get(1))?,
        3 => log_in(connection, command.get(1), command.get(2))?,
        _ => return Err(super::refusals::SYNTAX),
    }
    replies.ok();
    Ok(())
}

fn log_in(connection: &mut Connection<'_>, user: &[u8], token: &[u8]) -> Result<(), Problem> {
    let access = &connection.app.access;
    if !access.needs_token() {
        // Redis's default user needs no password then, and there is no other.
        return if user == b"default" { Ok(()) } else { Err(WRONG_PASS) };
    }
    let token = str::from_utf8(token).map_err(|_| WRONG_PASS)?;
    connection.client = Some(access.client(Some(token)).ok_or(WRONG_PASS)?);
    Ok(())
}

/// `HELLO [version [AUTH user token] [SETNAME name]]`.
pub(super) fn hello(
    connection: &mut Connection<'_>,
    command: Command<'_>,
    replies: &mut Replies,
) -> Result<(), Problem> {
    let is_resp3 = match command.len() {
        1 => replies.is_resp3,
        _ => match integer(command.get(1)) {
            Ok(2) => false,
            Ok(3) => true,
            Ok(_) => return Err(NO_PROTO),
            Err(_) => return Err(Problem::err("Protocol version is not an integer or out of range")),
        },
    };
    let (mut name, mut number) = (None, 2);
    while number < command.len() {
        let option = command.get(number);
        let left = command.len() - number - 1;
        if option.eq_ignore_ascii_case(b"auth") && left >= 2 {
            log_in(connection, command.get(number + 1), command.get(number + 2))?;
            number += 3;
        } else if option.eq_ignore_ascii_case(b"setname") && left >= 1 {
            name = Some(client_name(command.get(number + 1))?);
            number += 2;
        } else {
            let option = String::from_utf8_lossy(option);
            return Err(Problem::told(format!("Syntax error in HELLO option '{option}'")));
        }
    }
    if !connection.is_known() {
        return Err(HELLO_NO_AUTH);
    }
    if let (Some(name), [own, ..]) = (name, &mut connection.names) {
        *own = name;
    }
    replies.is_resp3 = is_resp3;
    replies.map(7);
    for (key, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        replies.bulk(key);
        replies.bulk(value);
    }
    replies.bulk("proto");
    replies.integer(if is_resp3 { 3 } else { 2 });
    replies.bulk("id");
    replies.integer(i64::try_from(connection.id).unwrap_or(i64::MAX));
    for (key, value) in [("mode", "standalone"), ("role", "master")] {
        replies.bulk(key);
        replies.bulk(value);
    }
    replies.bulk("modules");
    replies.array(0);
    Ok(())
}

/// `CLIENT ID` and the like.
pub(super) fn client(
    connection: &mut Connection<'_>,
    command: Command<'_>,
    replies: &mut Replies,
) -> Result<(), Problem> {
    let subcommand = command.subcommand();
    let [name, library, version] = &mut connection.names;
    match (&*subcommand, command.len()) {
        ("id", 2) => replies.integer(i64::try_from(connection.id).unwrap_or(i64::MAX)),
        ("getname", 2) if name.is_empty() => replies.nil(),
        ("getname", 2) => replies.bulk(name),
        ("setname", 3) => {
            *name = client_name(command.get(2))?;
            replies.ok();
        }
        ("setinfo", 4) => {
            let attribute = command.get(2);
            let value = client_name(command.get(3))?;
            if attribute.eq_ignore_ascii_case(b"lib-name") {
                *library = value;
            } else if attribute.eq_ignore_ascii_case(b"lib-ver") {
                *version = value;
            } else {
                return Err(Problem::told(format!(
                    "Unrecognized option '{}'",
                    String::from_utf8_lossy(attribute)
                )));
            }
            replies.ok();
        }
        ("info", 2) => {
            let (id, resp) = (connection.id, if replies.is_resp3 { 3 } else { 2 });
            replies.text(&format!(
                "id={id} name={name} db=0 resp={resp} lib-name={library} lib-ver={version}\n"
            ));
        }
        ("no-evict" | "no-touch", 3) => replies.ok(),
        ("reply", 3) if command.get(2).eq_ignore_ascii_case(b"on") => replies.ok(),
        ("id" | "getname" | "setname" | "setinfo" | "info" | "no-evict" | "no-touch", _) => {
            return Err(wrong_number(&format!("client|{subcommand}")));
        }
        _ => {
            return Err(Problem::told(format!("unknown subcommand '{subcommand}': there are {SUBCOMMANDS}")));
        }
    }
    Ok(())
}

/// A name without spaces, as Redis wants it, and short.
fn client_name(name: &[u8]) -> Result<String, Problem> {
    let is_good = name.len() <= 128 && name.iter().all(u8::is_ascii_graphic);
    let name = str::from_utf8(name).ok().filter(|_| is_good);
    name.map(Into::into).ok_or(BAD_NAME)
}
