//! `counterd doctor`: what is wrong here, and what to do about it.

use std::fmt::Write;
use std::net::ToSocketAddrs;

use super::client::{Client, Failure, Server};
use crate::access;
use crate::clock;
use crate::config::Config;

#[cfg(feature = "nats")]
mod cluster;
mod disk;
mod metrics;

/// How many seconds since 1970 the first release has.
const RELEASED: u64 = 1_795_000_000;

/// `counterd doctor`
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Check the server only, not this machine and the settings.
    #[arg(long)]
    remote: bool,
    /// Where the NATS servers of a cluster are monitored. They tell there how often they sync.
    #[arg(long, value_name = "http://HOST:8222,...", value_delimiter = ',', env = "COUNTERD_NATS_MONITOR")]
    nats_monitor: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    /// It works, and may fail one day.
    Warn,
    Fail,
}

/// The checks so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: String,
    has_failed: bool,
}

impl Report {
    /// A check has ended. The text says what was found, and what to do.
    pub(super) fn add(&mut self, verdict: Verdict, what: &str, text: &str) {
        let word = match verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        self.has_failed |= verdict == Verdict::Fail;
        let _written = writeln!(self.lines, "{word}  {what}: {text}");
    }
}

impl Doctor {
    /// All checks as lines, and whether one has failed.
    pub(super) fn run(&self, config: &Config) -> Result<(String, bool), Failure> {
        let mut report = Report::default();
        let client = Client::new(&self.server)?;
        check_server(&client, &self.server.url, &mut report);
        if !self.remote {
            self.check_store(config, &mut report);
            check_machine(config, &mut report);
            check_exposure(config, &mut report);
        }
        Ok((report.lines, report.has_failed))
    }

    #[cfg(feature = "nats")]
    fn check_store(&self, config: &Config, report: &mut Report) {
        if config.nats.is_empty() {
            disk::check(&config.data, report);
        } else {
            cluster::check(config, &self.nats_monitor, report);
        }
    }

    #[cfg(not(feature = "nats"))]
    #[expect(clippy::unused_self, reason = "as the one that asks NATS")]
    fn check_store(&self, config: &Config, report: &mut Report) {
        disk::check(&config.data, report);
    }
}

fn check_server(client: &Client, url: &str, report: &mut Report) {
    match client.look("/livez") {
        Ok((200, _)) => report.add(Verdict::Ok, "server", &format!("it answers at {url}")),
        Ok((status, _)) => {
            return report.add(
                Verdict::Fail,
                "server",
                &format!("{url} answers {status}: is it a counterd?"),
            );
        }
        Err(failure) => return report.add(Verdict::Fail, "server", failure.text()),
    }
    match client.look("/readyz") {
        Ok((200, _)) => report.add(Verdict::Ok, "ready", "changes and reads are answered"),
        Ok((_, reason)) => report.add(Verdict::Fail, "ready", reason.trim()),
        Err(failure) => report.add(Verdict::Fail, "ready", failure.text()),
    }
    match client.look("/metrics") {
        Ok((200, text)) => metrics::check(&text, report),
        Ok((401 | 403, _)) => {
            let text = "not checked: set COUNTERD_TOKEN to a token with the scope read or admin";
            report.add(Verdict::Warn, "metrics", text);
        }
        Ok((status, _)) => report.add(Verdict::Fail, "metrics", &format!("/metrics answers {status}")),
        Err(failure) => report.add(Verdict::Fail, "metrics", failure.text()),
    }
}

fn check_machine(config: &Config, report: &mut Report) {
    if clock::unix_time().as_secs() < RELEASED {
        let text = "it is behind the release of this program, and idempotency keys are remembered by time: set it (NTP)";
        report.add(Verdict::Fail, "clock", text);
    } else {
        report.add(Verdict::Ok, "clock", "its time is plausible");
    }
    // Two protocols, and the database.
    let needed = 2 * config.max_connections as u64 + 64;
    match rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        Some(limit) if limit < needed => {
            let text = format!(
                "{limit} for a process that is started here, and {needed} may be needed for max-connections: raise it \
                                (ulimit -n, or LimitNOFILE of the unit), or lower max-connections"
            );
            report.add(Verdict::Warn, "open files", &text);
        }
        limit => {
            let limit = limit.map_or_else(|| "without a limit".into(), |limit| limit.to_string());
            report.add(Verdict::Ok, "open files", &format!("{limit} for a process that is started here"));
        }
    }
}

fn check_exposure(config: &Config, report: &mut Report) {
    let addresses: Vec<_> = [Some(&config.http), config.redis.as_ref()]
        .into_iter()
        .flatten()
        .map(ToSocketAddrs::to_socket_addrs)
        .collect();
    let addresses: Vec<_> = addresses.into_iter().flatten().flatten().collect();
    let told_nothing = Config { insecure: false, ..config.clone() };
    match access::check_exposure(&told_nothing, addresses.into_iter()) {
        Ok(()) => {
            report.add(Verdict::Ok, "exposure", "other machines can't reach it, or need TLS and a token");
        }
        Err(problem) => report.add(Verdict::Warn, "exposure", &problem),
    }
}
