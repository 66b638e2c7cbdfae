//! Commands that Redis has and counterd has not: what to use instead.

use super::refusals::Problem;
use super::requests::Command;

pub(super) const WATCH: Problem = Problem::err(
    "'watch' is not supported: counters have no optimistic locks, for other nodes may count at any time; MULTI and EXEC work without it",
);

const COUNTERS_ONLY: &str = "counterd has counters only, see docs/redis.md";
const NO_SET: &str = "a counter is changed by what is added: use INCRBY, DECRBY, or DEL, which resets it";
const NO_EXPIRY: &str = "counterd has counters only, and they don't expire; name a counter for each window, such as quota:alice:2026-11-28T10, see docs/redis.md";
const NO_SCRIPTS: &str = "there are no scripts; MULTI and EXEC change several counters, all or none";
const NO_MESSAGES: &str = "there are no channels; GET /v1/watch over HTTP tells which counters change";
const NO_KEYS: &str =
    "it would hold up all others: use SCAN with MATCH, or GET /v1/counters?prefix= over HTTP";
const NO_FLUSH: &str = "reset counters with DEL, or end counterd and remove its data directory";
const NO_FLOATS: &str = "counters are whole numbers: count in a smaller unit with INCRBY";
const NO_ADMIN: &str =
    "counterd is told by its flags, its configuration file and its HTTP interface, see docs/operations.md";

/// The commands that people try, and what to use instead.
const INSTEAD: [(&str, &[&str]); 9] = [
    (
        NO_SET,
        &[
            "set", "setnx", "getset", "mset", "msetnx", "append", "setrange", "rename", "renamenx", "copy",
            "restore",
        ],
    ),
    (
        NO_EXPIRY,
        &[
            "expire",
            "expireat",
            "pexpire",
            "pexpireat",
            "persist",
            "ttl",
            "pttl",
            "expiretime",
            "pexpiretime",
            "setex",
            "psetex",
            "getex",
        ],
    ),
    (NO_SCRIPTS, &["eval", "evalsha", "eval_ro", "evalsha_ro", "script", "fcall", "fcall_ro", "function"]),
    (
        NO_MESSAGES,
        &[
            "subscribe",
            "unsubscribe",
            "psubscribe",
            "punsubscribe",
            "ssubscribe",
            "sunsubscribe",
            "publish",
            "spublish",
            "pubsub",
        ],
    ),
    (NO_KEYS, &["keys", "randomkey"]),
    (NO_FLUSH, &["flushall", "flushdb", "swapdb", "move"]),
    (NO_FLOATS, &["incrbyfloat", "hincrbyfloat"]),
    (
        NO_ADMIN,
        &[
            "acl",
            "bgrewriteaof",
            "bgsave",
            "cluster",
            "debug",
            "failover",
            "lastsave",
            "latency",
            "memory",
            "module",
            "monitor",
            "psync",
            "replicaof",
            "save",
            "shutdown",
            "slaveof",
            "slowlog",
            "sync",
            "time",
            "role",
        ],
    ),
    (
        COUNTERS_ONLY,
        &[
            "bitcount",
            "bitfield",
            "bitop",
            "bitpos",
            "blpop",
            "brpop",
            "dump",
            "geoadd",
            "getbit",
            "getrange",
            "hdel",
            "hget",
            "hgetall",
            "hincrby",
            "hlen",
            "hmget",
            "hmset",
            "hset",
            "lindex",
            "llen",
            "lpop",
            "lpush",
            "lrange",
            "object",
            "pfadd",
            "pfcount",
            "pfmerge",
            "rpop",
            "rpush",
            "sadd",
            "scard",
            "setbit",
            "sinter",
            "sismember",
            "smembers",
            "sort",
            "srem",
            "strlen",
            "substr",
            "sunion",
            "touch",
            "xadd",
            "xlen",
            "xread",
            "zadd",
            "zincrby",
            "zrange",
            "zrem",
            "zscore",
        ],
    ),
];

/// Why there is no such command.
pub(super) fn problem(command: Command<'_>) -> Problem {
    let name = String::from_utf8_lossy(command.get(0).get(..MAX_TOLD).unwrap_or(command.get(0)));
    let small = name.to_ascii_lowercase();
    if let Some((instead, _)) = INSTEAD.iter().find(|(_, names)| names.contains(&&*small)) {
        return Problem::told(format!("'{small}' is not supported: {instead}"));
    }
    let mut arguments = String::new();
    for argument in command.from(1) {
        let Some(room) = MAX_TOLD.checked_sub(arguments.len()).filter(|room| *room > 0) else { break };
        let argument = argument.get(..room).unwrap_or(argument);
        arguments.extend(["'", &*String::from_utf8_lossy(argument), "' "]);
    }
    Problem::told(format!("unknown command '{name}', with args beginning with: {arguments}"))
}

/// So many bytes of a command are told back, as Redis does.
const MAX_TOLD: usize = 128;
