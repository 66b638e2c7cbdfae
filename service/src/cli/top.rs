//! `counterd top`: the counters that change most.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::client::{Client, Failure, Server, encoded};
use crate::clock::Stopwatch;

/// How many counters are looked at.
const MOST: usize = 10_000;

/// `counterd top`
#[derive(Debug, clap::Args)]
pub struct Top {
    /// Only counters whose names begin with this.
    #[arg(long, default_value = "")]
    prefix: String,
    /// How many counters to show.
    #[arg(long, default_value_t = 20, value_name = "N")]
    rows: usize,
    /// How long to wait between two looks.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// How many tables to print. [default: at a terminal, until it is interrupted; else 1]
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Deserialize)]
struct Page {
    counters: Vec<Counter>,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Counter {
    name: String,
    value: i128,
}

/// The values at one moment.
type Values = BTreeMap<String, i128>;

impl Top {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let client = Client::new(&self.server)?;
        let is_terminal = io::stdout().is_terminal();
        let times = self.times.unwrap_or(if is_terminal { u64::MAX } else { 1 });
        let mut before = self.look(&client)?;
        let mut watch = Stopwatch::start();
        for _ in 0..times {
            thread::sleep(self.interval);
            let now = self.look(&client)?;
            let table = self.table(&before, &now, watch.elapsed());
            (before, watch) = (now, Stopwatch::start());
            let clear = if is_terminal { "\x1b[H\x1b[J" } else { "" };
            let printed = write!(io::stdout(), "{clear}{table}");
            printed.map_err(|error| Failure::new(format!("can't print: {error}")))?;
        }
        Ok(())
    }

    fn look(&self, client: &Client) -> Result<Values, Failure> {
        let mut values = Values::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/counters?limit=1000&prefix={}{after}", encoded(&self.prefix));
            let page: Page = client.get(&path)?;
            values.extend(page.counters.into_iter().map(|counter| (counter.name, counter.value)));
            match page.next {
                Some(next) if values.len() < MOST => after = format!("&after={}", encoded(&next)),
                Some(_) | None => return Ok(values),
            }
        }
    }

    fn table(&self, before: &Values, now: &Values, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64().max(0.001);
        let mut rows: Vec<_> = now
            .iter()
            .map(|(name, value)| {
                let change = value.saturating_sub(before.get(name).copied().unwrap_or_default());
                (change, *value, name)
            })
            .collect();
        rows.sort_by_key(|(change, value, _)| {
            std::cmp::Reverse((change.unsigned_abs(), value.unsigned_abs()))
        });
        let mut table = format!("{:>20} {:>12}  counter\n", "value", "per second");
        for (change, value, name) in rows.iter().take(self.rows) {
            #[expect(clippy::cast_precision_loss, reason = "a rate is rounded to tenths")]
            let rate = *change as f64 / seconds;
            // A name may have characters that would write on the terminal.
            let _written = writeln!(table, "{value:>20} {rate:>12.1}  {}", name.escape_debug());
        }
        let more =
            if now.len() >= MOST { " The first 10,000 were looked at: narrow it with --prefix" } else { "" };
        let _written = writeln!(table, "{} counters.{more}", now.len());
        table
    }
}
