//! Logs to stderr, at a bounded rate: hostile input can't fill a disk.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::{Event, Level, Subscriber, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::judge::simulated_moment;

/// How many warnings and errors one place in the code may log in each [`WINDOW`].
const MOST: u32 = 100;
const WINDOW: Duration = Duration::from_mins(1);

/// Logs to stderr what the filter lets through. In a simulation each line has the virtual time and the node's name. One place in the code may log 100 warnings and errors a minute.
///
/// # Errors
///
/// The text says what is wrong with the filter.
pub fn to_stderr(filter: &str) -> Result<(), String> {
    check(filter)?;
    let filter = EnvFilter::try_new(filter).map_err(|e| e.to_string())?;
    tracing_subscriber::registry()
        .with(filter)
        .with(Throttle::default())
        .with(fmt::layer().with_timer(Time).with_writer(io::stderr).with_ansi(false))
        .try_init()
        .map_err(|e| e.to_string())
}

/// The time of day. In a simulation it is the virtual time since the start of the run, and the node.
struct Time;

impl FormatTime for Time {
    fn format_time(&self, line: &mut Writer<'_>) -> std::fmt::Result {
        match simulated_moment() {
            Some(moment) => write!(line, "{:.6} n{}", moment.at.as_secs_f64(), moment.node),
            None => SystemTime.format_time(line),
        }
    }
}

/// Refuses a filter that names a module that does not exist: a typing error would silence the log.
fn check(filter: &str) -> Result<(), String> {
    const CRATE: &str = "maelstrom_counter";
    let names_a_module = |name: &str| {
        let target = name.split(['[', '=']).next().unwrap_or_default();
        target.is_empty() && name.starts_with('[')
            || target == CRATE
            || target.starts_with(&format!("{CRATE}::"))
    };
    let is_level = |name: &str| name.parse::<LevelFilter>().is_ok();
    let mut parts = filter.split(',').map(str::trim).filter(|part| !part.is_empty());
    match parts.find(|part| !is_level(part) && !names_a_module(part)) {
        None => Ok(()),
        Some(unknown) => Err(format!(
            "\"{unknown}\" is neither a level (off, error, warn, info, debug, trace) nor a part of this program, \
             as in {CRATE}::node=debug"
        )),
    }
}

/// Drops the warnings and errors that one place logs too often.
struct Throttle {
    #[expect(clippy::disallowed_types, reason = "the log is part of the shell")]
    start: std::time::Instant,
    places: Mutex<BTreeMap<&'static str, Place>>,
}

impl Default for Throttle {
    #[expect(clippy::disallowed_types, reason = "the log is part of the shell")]
    fn default() -> Self {
        Self { start: std::time::Instant::now(), places: Mutex::default() }
    }
}

impl<S: Subscriber> Layer<S> for Throttle {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return true;
        }
        let now = self.start.elapsed();
        let logged = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.entry(metadata.name()).or_default().log(now)
        };
        match logged {
            Logged::Yes => true,
            Logged::YesAfter(left_out) => {
                warn!(left_out, place = metadata.name(), "more of the kind below were left out");
                true
            }
            Logged::No => false,
        }
    }
}

/// What one place has logged in its present window.
#[derive(Default)]
struct Place {
    since: Duration,
    count: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Logged {
    Yes,
    /// Yes. This many were dropped in the window before.
    YesAfter(u32),
    No,
}

impl Place {
    fn log(&mut self, now: Duration) -> Logged {
        let left_out = if now >= self.since + WINDOW {
            self.since = now;
            std::mem::take(&mut self.count).saturating_sub(MOST)
        } else {
            0
        };
        self.count = self.count.saturating_add(1);
        match left_out {
            _ if self.count > MOST => Logged::No,
            0 => Logged::Yes,
            left_out => Logged::YesAfter(left_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing::info;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_place_logs_a_bounded_number_of_warnings() {
        let lines = Lines::default();
        let copy = lines.clone();
        let writer = fmt::layer().with_writer(move || copy.clone()).with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(Throttle::default()).with(writer);
        tracing::subscriber::with_default(subscriber, || {
            for i in 0..=MOST {
                warn!(i, "often");
                info!(i, "no warning");
            }
            warn!("seldom");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let lines_with = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!(lines_with("often"), 100);
        assert_eq!((lines_with("no warning"), lines_with("seldom")), (101, 1));
    }

    #[test]
    fn a_filter_with_a_typing_error_is_refused() {
        for good in
            ["info", "OFF", "trace", "warn,maelstrom_counter::node=debug", "maelstrom_counter=trace", ""]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in
            ["inof", "debgu", "info,inof", "maelstrm_counter=debug", "tokio=trace", "maelstrom_counters=info"]
        {
            let problem = check(bad).unwrap_err();
            assert!(problem.contains("neither a level"), "{bad}: {problem}");
        }
    }

    #[test]
    fn dropped_warnings_are_counted_and_reported_in_the_next_window() {
        let mut place = Place::default();
        let logged = (0..250).map(|i| place.log(Duration::from_millis(i)));
        assert_eq!(logged.filter(|logged| *logged == Logged::Yes).count(), 100);
        assert_eq!(place.log(WINDOW), Logged::YesAfter(150));
        assert_eq!(place.log(WINDOW), Logged::Yes);
        assert_eq!(place.log(WINDOW * 2), Logged::Yes, "nothing was left out in between");
    }
}
