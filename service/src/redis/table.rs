//! The commands that there are.

/// A command.
#[derive(Debug)]
pub(super) struct Spec {
    /// Its name, in small letters.
    pub(super) name: &'static str,
    /// How many arguments it has, its name among them. Negative: at least so many.
    pub(super) arity: i8,
    pub(super) kind: Kind,
    /// The places of its keys: the first, the last, and how far one is from the next.
    pub(super) keys: (i8, i8, i8),
    /// As Redis has them.
    pub(super) flags: &'static [&'static str],
    /// What it does, for COMMAND DOCS.
    pub(super) summary: &'static str,
}

/// What a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It counts or reads.
    Counts(Counts),
    /// It is about the connection.
    Connects(Connects),
    /// It looks at many counters, or at the server. It is handled apart from all others, without holding them up, and can't be a
    /// part of a batch.
    Lists(Lists),
}

/// The commands that count and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Decr,
    DecrBy,
    Del,
    Exists,
    Get,
    GetDel,
    Incr,
    IncrBy,
    MGet,
    Type,
}

/// The commands about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connects {
    Auth,
    Client,
    Command,
    Config,
    Discard,
    Echo,
    Exec,
    Hello,
    Multi,
    Ping,
    Quit,
    Reset,
    Select,
    Unwatch,
    Wait,
    Watch,
}

/// The commands that look at many counters, or at the server, or wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    DbSize,
    Info,
    Scan,
    /// WAIT, if it is no part of a batch.
    Wait,
}

impl Kind {
    /// Whether the command is done at once after MULTI, too, and not queued.
    pub(super) fn is_never_queued(self) -> bool {
        use Connects::{Discard, Exec, Multi, Quit, Reset, Watch};
        matches!(self, Self::Connects(Discard | Exec | Multi | Quit | Reset | Watch))
    }

    /// Whether a client may say it that has not said who it is.
    pub(super) fn is_for_unknown(self) -> bool {
        use Connects::{Auth, Hello, Quit, Reset};
        matches!(self, Self::Connects(Auth | Hello | Quit | Reset))
    }
}

const NO_KEYS: (i8, i8, i8) = (0, 0, 0);
const ONE_KEY: (i8, i8, i8) = (1, 1, 1);
const ALL_KEYS: (i8, i8, i8) = (1, -1, 1);
const WRITES: &[&str] = &["write", "denyoom", "fast"];
const DELETES: &[&str] = &["write"];
const READS: &[&str] = &["readonly", "fast"];
const CONNECTS: &[&str] = &["noscript", "loading", "stale", "fast"];
const ADMIN: &[&str] = &["admin", "noscript", "loading", "stale"];

const fn counts(kind: Counts) -> Kind {
    Kind::Counts(kind)
}

const fn connects(kind: Connects) -> Kind {
    Kind::Connects(kind)
}

const fn lists(kind: Lists) -> Kind {
    Kind::Lists(kind)
}

const fn spec(
    (name, arity, kind): (&'static str, i8, Kind),
    keys: (i8, i8, i8),
    flags: &'static [&'static str],
    summary: &'static str,
) -> Spec {
    Spec { name, arity, kind, keys, flags, summary }
}

/// All commands, by name.
pub(super) static COMMANDS: [Spec; 30] = [
    spec(("auth", -2, connects(Connects::Auth)), NO_KEYS, CONNECTS, "Says who the client is, by a token."),
    spec(
        ("client", -2, connects(Connects::Client)),
        NO_KEYS,
        CONNECTS,
        "Tells and sets what is known of this connection.",
    ),
    spec(
        ("command", -1, connects(Connects::Command)),
        NO_KEYS,
        &["loading", "stale"],
        "Tells which commands there are.",
    ),
    spec(("config", -2, connects(Connects::Config)), NO_KEYS, ADMIN, "Tells settings."),
    spec(("dbsize", 1, lists(Lists::DbSize)), NO_KEYS, READS, "Tells how many counters there are."),
    spec(("decr", 2, counts(Counts::Decr)), ONE_KEY, WRITES, "Subtracts 1 from a counter."),
    spec(("decrby", 3, counts(Counts::DecrBy)), ONE_KEY, WRITES, "Subtracts from a counter."),
    spec(("del", -2, counts(Counts::Del)), ALL_KEYS, DELETES, "Resets counters."),
    spec(("discard", 1, connects(Connects::Discard)), NO_KEYS, CONNECTS, "Forgets the commands of a batch."),
    spec(("echo", 2, connects(Connects::Echo)), NO_KEYS, CONNECTS, "Answers with its argument."),
    spec(
        ("exec", 1, connects(Connects::Exec)),
        NO_KEYS,
        CONNECTS,
        "Does the commands of a batch, all or none.",
    ),
    spec(
        ("exists", -2, counts(Counts::Exists)),
        ALL_KEYS,
        READS,
        "Tells how many of these counters were counted.",
    ),
    spec(("get", 2, counts(Counts::Get)), ONE_KEY, READS, "Reads a counter."),
    spec(
        ("getdel", 2, counts(Counts::GetDel)),
        ONE_KEY,
        WRITES,
        "Resets a counter, and tells what that subtracts.",
    ),
    spec(("hello", -1, connects(Connects::Hello)), NO_KEYS, CONNECTS, "Chooses the version of the protocol."),
    spec(("incr", 2, counts(Counts::Incr)), ONE_KEY, WRITES, "Adds 1 to a counter."),
    spec(("incrby", 3, counts(Counts::IncrBy)), ONE_KEY, WRITES, "Adds to a counter."),
    spec(("info", -1, lists(Lists::Info)), NO_KEYS, &["loading", "stale"], "Tells how the server is doing."),
    spec(("mget", -2, counts(Counts::MGet)), ALL_KEYS, READS, "Reads counters."),
    spec(("multi", 1, connects(Connects::Multi)), NO_KEYS, CONNECTS, "Begins a batch."),
    spec(("ping", -1, connects(Connects::Ping)), NO_KEYS, &["fast"], "Answers PONG."),
    spec(("quit", -1, connects(Connects::Quit)), NO_KEYS, CONNECTS, "Closes the connection."),
    spec(("reset", 1, connects(Connects::Reset)), NO_KEYS, CONNECTS, "Makes the connection a new one."),
    spec(("scan", -2, lists(Lists::Scan)), NO_KEYS, &["readonly"], "Lists counters, a few at a time."),
    spec(("select", 2, connects(Connects::Select)), NO_KEYS, CONNECTS, "Accepts the database 0."),
    spec(
        ("type", 2, counts(Counts::Type)),
        ONE_KEY,
        READS,
        "Tells whether a counter was counted: string or none.",
    ),
    spec(("unlink", -2, counts(Counts::Del)), ALL_KEYS, DELETES, "Resets counters."),
    spec(("unwatch", 1, connects(Connects::Unwatch)), NO_KEYS, CONNECTS, "Does nothing."),
    spec(
        ("wait", 3, connects(Connects::Wait)),
        NO_KEYS,
        &["noscript"],
        "Waits until so many other nodes have the changes of this connection.",
    ),
    spec(("watch", -2, connects(Connects::Watch)), ALL_KEYS, CONNECTS, "Is refused."),
];

/// No name is longer.
const MAX_NAME: usize = size_of::<u64>();

/// The names as numbers, in the same order: to compare them costs next to nothing.
#[expect(clippy::indexing_slicing, reason = "it is computed when this is compiled")]
static NUMBERS: [u64; COMMANDS.len()] = {
    let mut numbers = [0; COMMANDS.len()];
    let mut at = 0;
    while at < numbers.len() {
        numbers[at] = number(COMMANDS[at].name.as_bytes());
        at += 1;
    }
    numbers
};

/// The first bytes of a name, in small letters.
const fn number(mut name: &[u8]) -> u64 {
    let (mut number, mut places) = (0, MAX_NAME);
    while places > 0 {
        places -= 1;
        number <<= u8::BITS;
        if let [first, rest @ ..] = name {
            number |= first.to_ascii_lowercase() as u64;
            name = rest;
        }
    }
    number
}

/// The command with this name, in any letters.
pub(super) fn find(name: &[u8]) -> Option<&'static Spec> {
    let at = NUMBERS.binary_search(&number(name)).ok()?;
    COMMANDS.get(at).filter(|command| command.name.len() == name.len())
}

impl Spec {
    /// Whether a command may have so many arguments, its name among them.
    pub(super) fn accepts(&self, arguments: usize) -> bool {
        let arity = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { arguments >= arity } else { arguments == arity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_found_in_any_letters() {
        for command in &COMMANDS {
            assert!(std::ptr::eq(find(command.name.to_uppercase().as_bytes()).unwrap(), command));
            assert!(command.name.len() <= MAX_NAME);
        }
        for unknown in ["set", "", "subscribe", "get\0", "get\0\0\0\0\0get"] {
            assert!(find(unknown.as_bytes()).is_none(), "{unknown:?}");
        }
    }
}
