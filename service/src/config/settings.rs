//! The table of settings, and how each is read and shown.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use embedded::{AckPolicy, MAX_COUNTERS};

use super::{Config, LogFormat, NatsUrl};

/// One setting: a flag, an environment variable, and a key of the file.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key, such as `max-body`.
    pub key: &'static str,
    /// The heading that it stands under in the help.
    pub heading: &'static str,
    /// What the help calls its value. Empty: it is true or false, and the flag alone means true.
    pub value_name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Reads a value.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
    /// The value, as [`set`](Self::set) reads it. `None`: it has none.
    pub(super) show: fn(&Config) -> Option<String>,
}

impl Setting {
    /// The environment variable, such as `COUNTERD_MAX_BODY`.
    pub fn variable(&self) -> String {
        format!("COUNTERD_{}", self.key.to_uppercase().replace('-', "_"))
    }

    /// The value that is in force if nobody sets one.
    pub fn default(&self) -> Option<String> {
        (self.show)(&Config::default())
    }
}

const COUNTING: &str = "Counting";
const CLUSTER: &str = "Cluster";
const LISTENING: &str = "Listening";
const SECURITY: &str = "Security";
const BOUNDS: &str = "Bounds";
const LOG: &str = "Log";

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// All settings, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        heading: COUNTING,
        value_name: "DIR",
        help: "The directory of the database. It is made if there is none",
        set: |config, text| path(text).map(|path| config.data = path),
        show: |config| Some(config.data.display().to_string()),
    },
    Setting {
        key: "node",
        heading: COUNTING,
        value_name: "NAME",
        help: "The name of this node. It is drawn at the first start, and kept in the directory",
        set: |config, text| name(text, "a node").map(|name| config.node = Some(name)),
        show: |config| config.node.clone(),
    },
    Setting {
        key: "ack",
        heading: COUNTING,
        value_name: "POLICY",
        help: "When a change is acknowledged. `store`: once it is stored. `durable`: the same on one machine; in a cluster also once \
               another node has it, while the store is down. `memory`: at once, so a crash loses the last changes",
        set: |config, text| pick(text, &ACKS).map(|ack| config.ack = ack),
        show: |config| name_of(&config.ack, &ACKS),
    },
    Setting {
        key: "nats",
        heading: CLUSTER,
        value_name: "URL,...",
        help: "The NATS servers of the cluster, such as nats://10.0.0.1:4222. Then the counters are in the cluster, and not in --data. \
               --node and --cluster are needed too. A password in it is not shown, but others see a command line: better set the \
               variable",
        set: |config, text| servers(text).map(|servers| config.nats = servers),
        show: |config| Some(NatsUrl::list(&config.nats)).filter(|servers| !servers.is_empty()),
    },
    Setting {
        key: "cluster",
        heading: CLUSTER,
        value_name: "NAME",
        help: "The name of the cluster. Nodes with the same name count together",
        set: |config, text| name(text, "a cluster").map(|name| config.cluster = Some(name)),
        show: |config| config.cluster.clone(),
    },
    Setting {
        key: "site",
        heading: CLUSTER,
        value_name: "NAME",
        help: "The site of this node, if the cluster has several. The records of a site stay there",
        set: |config, text| name(text, "a site").map(|name| config.site = Some(name)),
        show: |config| config.site.clone(),
    },
    Setting {
        key: "nats-creds",
        heading: CLUSTER,
        value_name: "FILE",
        help: "The credentials of this node for NATS: a JWT with its key (.creds), or the seed of an nkey",
        set: |config, text| path(text).map(|path| config.nats_creds = Some(path)),
        show: |config| shown(config.nats_creds.as_ref()),
    },
    Setting {
        key: "nats-ca",
        heading: CLUSTER,
        value_name: "FILE",
        help: "The certificates that those of the NATS servers must come from, as PEM. Without it the well-known authorities",
        set: |config, text| path(text).map(|path| config.nats_ca = Some(path)),
        show: |config| shown(config.nats_ca.as_ref()),
    },
    Setting {
        key: "nats-cert",
        heading: CLUSTER,
        value_name: "FILE",
        help: "The certificate of this node for NATS, as PEM, if the servers ask for one",
        set: |config, text| path(text).map(|path| config.nats_tls.get_or_insert_default().0 = path),
        show: |config| shown(config.nats_tls.as_ref().map(|(cert, _)| cert)),
    },
    Setting {
        key: "nats-key",
        heading: CLUSTER,
        value_name: "FILE",
        help: "The key of the certificate for NATS, as PEM",
        set: |config, text| path(text).map(|path| config.nats_tls.get_or_insert_default().1 = path),
        show: |config| shown(config.nats_tls.as_ref().map(|(_, key)| key)),
    },
    Setting {
        key: "http",
        heading: LISTENING,
        value_name: "ADDR",
        help: "Where to serve HTTP",
        set: |config, text| address(text).map(|address| config.http = address),
        show: |config| Some(config.http.clone()),
    },
    Setting {
        key: "redis",
        heading: LISTENING,
        value_name: "ADDR",
        help: "Where to serve the Redis protocol, or `off`",
        set: |config, text| {
            config.redis = if text == "off" { None } else { Some(address(text)?) };
            Ok(())
        },
        show: |config| Some(config.redis.clone().unwrap_or_else(|| "off".into())),
    },
    Setting {
        key: "tls-cert",
        heading: SECURITY,
        value_name: "FILE",
        help: "The certificates for TLS, as PEM: the server's own first. Both protocols use them",
        set: |config, text| path(text).map(|path| config.tls.get_or_insert_default().0 = path),
        show: |config| shown(config.tls.as_ref().map(|(cert, _)| cert)),
    },
    Setting {
        key: "tls-key",
        heading: SECURITY,
        value_name: "FILE",
        help: "The key of the server's certificate, as PEM",
        set: |config, text| path(text).map(|path| config.tls.get_or_insert_default().1 = path),
        show: |config| shown(config.tls.as_ref().map(|(_, key)| key)),
    },
    Setting {
        key: "tokens",
        heading: SECURITY,
        value_name: "FILE",
        help: "The file of tokens. With one, each request needs a token (`counterd token` makes them)",
        set: |config, text| path(text).map(|path| config.tokens = Some(path)),
        show: |config| shown(config.tokens.as_ref()),
    },
    Setting {
        key: "allow-host",
        heading: SECURITY,
        value_name: "HOST,...",
        help: "Host names that requests over HTTP may name, beside addresses and localhost. With TLS all may be named",
        set: |config, text| hosts(text).map(|hosts| config.allow_host = hosts),
        show: |config| Some(config.allow_host.join(",")).filter(|hosts| !hosts.is_empty()),
    },
    Setting {
        key: "insecure",
        heading: SECURITY,
        value_name: "",
        help: "Serve other machines without TLS or without tokens",
        set: |config, text| pick(text, &BOOLEANS).map(|insecure| config.insecure = insecure),
        show: |config| name_of(&config.insecure, &BOOLEANS),
    },
    Setting {
        key: "max-connections",
        heading: BOUNDS,
        value_name: "N",
        help: "How many connections there may be, of each protocol",
        set: |config, text| number(text, 1..=1_000_000).map(|number| config.max_connections = number),
        show: |config| Some(config.max_connections.to_string()),
    },
    Setting {
        key: "max-counters",
        heading: BOUNDS,
        value_name: "N",
        help: "How many counters there may be",
        set: |config, text| number(text, 1..=MAX_COUNTERS).map(|number| config.max_counters = number),
        show: |config| Some(config.max_counters.to_string()),
    },
    Setting {
        key: "max-body",
        heading: BOUNDS,
        value_name: "BYTES",
        help: "How large the body of a request may be, such as 1048576 or 1MiB",
        set: |config, text| bytes(text, 1 << 10..=1 << 30).map(|bytes| config.max_body = bytes),
        show: |config| Some(config.max_body.to_string()),
    },
    Setting {
        key: "max-keys",
        heading: BOUNDS,
        value_name: "N",
        help: "How many idempotency keys are remembered. With more, requests with new keys are refused",
        set: |config, text| number(text, 1..=100_000_000).map(|number| config.max_keys = number),
        show: |config| Some(config.max_keys.to_string()),
    },
    Setting {
        key: "key-window",
        heading: BOUNDS,
        value_name: "TIME",
        help: "How long an idempotency key is remembered, such as 24h or 10min",
        set: |config, text| duration(text, SECOND..=YEAR).map(|window| config.key_window = window),
        show: |config| Some(humantime::format_duration(config.key_window).to_string()),
    },
    Setting {
        key: "log",
        heading: LOG,
        value_name: "LEVEL",
        help: "What to log: off, error, warn, info, debug, trace, or a filter such as warn,counterd::http=debug",
        set: |config, text| crate::log::check(text).map(|()| config.log = text.into()),
        show: |config| Some(config.log.clone()),
    },
    Setting {
        key: "log-format",
        heading: LOG,
        value_name: "FORMAT",
        help: "How a line of the log looks: text or json",
        set: |config, text| pick(text, &LOG_FORMATS).map(|format| config.log_format = format),
        show: |config| name_of(&config.log_format, &LOG_FORMATS),
    },
];

const ACKS: [(&str, AckPolicy); 3] = [
    (AckPolicy::Store.as_str(), AckPolicy::Store),
    (AckPolicy::Durable.as_str(), AckPolicy::Durable),
    (AckPolicy::Memory.as_str(), AckPolicy::Memory),
];
const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];
const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

/// The value with this name.
fn pick<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        format!("\"{}\" is none of: {}", text.escape_debug(), names.join(", "))
    })
}

fn name_of<T: PartialEq>(wanted: &T, values: &[(&str, T)]) -> Option<String> {
    values.iter().find(|(_, value)| value == wanted).map(|(name, _)| (*name).into())
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty".into()) } else { Ok(text.into()) }
}

fn shown(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

fn hosts(text: &str) -> Result<Vec<String>, String> {
    let is_good =
        |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    match text.split(',').map(str::trim).find(|host| !is_good(host)) {
        Some(bad) => Err(format!("\"{}\" is no host name, such as counters.example", bad.escape_debug())),
        None => Ok(text.split(',').map(|host| host.trim().to_owned()).collect()),
    }
}

fn name(text: &str, of: &str) -> Result<String, String> {
    if embedded::is_node_name(text) {
        Ok(text.into())
    } else {
        Err(format!(
            "\"{}\" is no name of {of}: it has 1 to 32 letters, digits, - and _",
            text.escape_debug()
        ))
    }
}

fn servers(text: &str) -> Result<Vec<NatsUrl>, String> {
    text.split(',').map(|server| server.trim().parse()).collect()
}

/// An address with a port. Whether the host exists shows when the program listens.
fn address(text: &str) -> Result<String, String> {
    let is_good =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_good {
        Ok(text.into())
    } else {
        Err(format!("\"{}\" is no address with a port, such as 127.0.0.1:7170", text.escape_debug()))
    }
}

fn number(text: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("\"{}\" is no whole number from {} to {}", text.escape_debug(), range.start(), range.end())
    })
}

fn bytes(text: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    let size = text.parse().ok().and_then(|bytesize::ByteSize(bytes)| usize::try_from(bytes).ok());
    size.filter(|size| range.contains(size)).ok_or_else(|| {
        format!(
            "\"{}\" is no number of bytes from {} to {}, such as 1MiB",
            text.escape_debug(),
            range.start(),
            range.end()
        )
    })
}

fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| range.contains(duration));
    duration.ok_or_else(|| {
        let [least, most] = [range.start(), range.end()].map(|end| humantime::format_duration(*end));
        format!("\"{}\" is no time from {least} to {most}, such as 24h or 10min", text.escape_debug())
    })
}
