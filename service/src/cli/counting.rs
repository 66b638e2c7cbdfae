//! The subcommands that read and change counters.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Failure, Server, encoded};

/// `counterd get`
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The names of the counters.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// `counterd add`
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The name of the counter.
    name: String,
    /// How much to add. A negative number subtracts.
    #[arg(allow_negative_numbers = true)]
    delta: i64,
    /// An idempotency key: an add that is repeated with the same key is counted once.
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Deserialize)]
struct Read {
    value: i128,
}

impl Get {
    /// The value, or a line for each of several counters: its value, a tab, and its name.
    pub(super) fn run(&self) -> Result<String, Failure> {
        let client = Client::new(&self.server)?;
        let mut lines = String::new();
        for name in &self.names {
            let Read { value } = client.get(&format!("/v1/counters/{}", encoded(name)))?;
            let written = match self.names.len() {
                1 => writeln!(lines, "{value}"),
                _ => writeln!(lines, "{value}\t{name}"),
            };
            written.map_err(|error| Failure::new(error.to_string()))?;
        }
        Ok(lines)
    }
}

impl Add {
    /// The value with this add.
    pub(super) fn run(&self) -> Result<String, Failure> {
        let path = format!("/v1/counters/{}/add", encoded(&self.name));
        let body = json!({ "delta": self.delta });
        let Read { value } = Client::new(&self.server)?.post(&path, &body, self.key.as_deref())?;
        Ok(format!("{value}\n"))
    }
}
