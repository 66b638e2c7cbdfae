//! The log, on stderr.

use std::io;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, LogFormat};

/// The client of NATS tells what counterd tells too, and on finer levels what it sends, and so the password.
const QUIET: [&str; 2] = ["async_nats=warn", "async_nats::connection=off"];

/// Logs to stderr what is set.
///
/// # Errors
///
/// The text says what is wrong with the filter.
pub fn to_stderr(config: &Config) -> Result<(), String> {
    check(&config.log)?;
    let mut filter = EnvFilter::try_new(&config.log).map_err(|error| error.to_string())?;
    for quiet in QUIET {
        filter = filter.add_directive(quiet.parse().map_err(|error| format!("{quiet}: {error}"))?);
    }
    let log = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false);
    let started = match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| error.to_string())
}

/// Refuses a filter that names a module that does not exist: a typing error would silence the log.
///
/// # Errors
///
/// The text says which part is wrong.
pub fn check(filter: &str) -> Result<(), String> {
    const CRATES: [&str; 4] = ["cluster", "counterd", "embedded", "replica"];
    let names_a_module = |name: &str| {
        let target = name.split(['[', '=']).next().unwrap_or_default();
        let of_crate = target.split("::").next().unwrap_or_default();
        target.is_empty() && name.starts_with('[') || CRATES.contains(&of_crate)
    };
    let is_level = |name: &str| name.parse::<LevelFilter>().is_ok();
    let mut parts = filter.split(',').map(str::trim).filter(|part| !part.is_empty());
    match parts.find(|part| !is_level(part) && !names_a_module(part)) {
        None => EnvFilter::try_new(filter).map(drop).map_err(|error| error.to_string()),
        Some(unknown) => Err(format!(
            "\"{}\" is neither a level (off, error, warn, info, debug, trace) nor a part of this program, as in \
             counterd::http=debug",
            unknown.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_a_typing_error_is_refused() {
        for good in
            ["info", "OFF", "warn,counterd::http=debug", "embedded=trace", "replica::durability=debug", ""]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["inof", "info,inof", "counterdd=debug", "tokio=trace"] {
            assert!(check(bad).unwrap_err().contains("neither a level"), "{bad}");
        }
    }
}
