//! Values of flags.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::num::NonZero;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::check::Check;
use crate::check::txn::{Model, UnknownModel};
use crate::nemesis::Fault;
use crate::workload::{self, Workload};

/// The name of a workload.
pub(super) fn workload() -> impl TypedValueParser<Value = &'static dyn Workload> {
    let known =
        workload::ALL.iter().map(|workload| PossibleValue::new(workload.name()).help(workload.about()));
    PossibleValuesParser::new(known)
        .try_map(|name| workload::by_name(&name).ok_or_else(|| format!("no workload is called {name}")))
}

/// The faults of `--nemesis`: names separated by commas, or `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultList(BTreeSet<Fault>);

impl FaultList {
    /// The faults.
    pub fn faults(&self) -> &BTreeSet<Fault> {
        &self.0
    }
}

impl FromStr for FaultList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
        names.map(fault).collect::<Result<_, _>>().map(Self)
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    Fault::from_str(name, false).map_err(|_| {
        let known = Fault::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        format!("no fault is called {name}; there are {}, or none", known.join(", "))
    })
}

/// The checks of `--strict`: names separated by commas, or `all`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrictList {
    /// All of them.
    All,
    /// These.
    These(BTreeSet<Check>),
}

impl StrictList {
    /// The checks.
    pub fn checks(&self) -> BTreeSet<Check> {
        match self {
            Self::All => Check::strict().collect(),
            Self::These(checks) => checks.clone(),
        }
    }
}

impl FromStr for StrictList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            names => names
                .split(',')
                .map(|name| strict_check(name.trim()))
                .collect::<Result<_, _>>()
                .map(Self::These),
        }
    }
}

fn strict_check(name: &str) -> Result<Check, String> {
    Check::strict().find(|check| check.name() == name).ok_or_else(|| {
        let known: Vec<String> = Check::strict().map(Check::name).collect();
        format!("no strict check is called {name}; there are {}, or all", known.join(", "))
    })
}

/// A whole number within bounds; `why` says where the upper one comes from.
fn whole<N: FromStr + PartialOrd + Display>(
    text: &str,
    range: RangeInclusive<N>,
    why: &str,
) -> Result<N, String> {
    match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("expected a whole number from {} to {}{why}", range.start(), range.end())),
    }
}

/// A number within bounds. Not a number is outside all of them.
fn real(text: &str, range: RangeInclusive<f64>, what: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("expected {what} from {} to {}", range.start(), range.end())),
    }
}

/// Bounded because each node is a process and several threads of the bench, and knows all others.
pub(super) fn node_count(text: &str) -> Result<u16, String> {
    whole(text, 1..=1000, ": each is a process")
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    whole(text, 0..=u64::MAX, "")
}

/// In milliseconds. A client waits for 5 s: a minute is longer than anything that could be answered.
pub(super) fn latency(text: &str) -> Result<u64, String> {
    let with_unit = humantime::parse_duration(text).ok().filter(|_| text.parse::<u64>().is_err());
    match with_unit.map(|time| (time.as_millis().to_string(), time.subsec_nanos() % 1_000_000)) {
        Some((millis, 0)) => whole(&millis, 0..=60_000, " (milliseconds)"),
        Some(_) | None => whole(text, 0..=60_000, " (milliseconds)"),
    }
}

/// The bench keeps each malformed line, up to some kilobytes, until its node has read it and answered.
pub(super) fn malformed(text: &str) -> Result<u32, String> {
    whole(text, 0..=100_000, ": each may wait in memory for its answer")
}

/// A flood takes time, not memory.
pub(super) fn flood(text: &str) -> Result<u32, String> {
    whole(text, 1..=u32::MAX, "")
}

/// A gigasecond of CPU time is no bound, and a value that is not a number bounds nothing.
pub(super) fn cpu_us(text: &str) -> Result<f64, String> {
    real(text, 0.0..=1e9, "microseconds")
}

/// In MiB: no machine has 16 TiB.
pub(super) fn memory_mb(text: &str) -> Result<u64, String> {
    whole(text, 1..=1 << 24, " (MiB)")
}

/// More threads than any machine has cores gain nothing, and each has a cluster in memory.
pub(super) fn threads(text: &str) -> Result<NonZero<usize>, String> {
    let count = whole(text, 1..=1024, ": more than a machine has cores gain nothing")?;
    NonZero::new(count).ok_or_else(|| "expected at least one thread".into())
}

pub(super) fn fraction(text: &str) -> Result<f64, String> {
    real(text, 0.0..=1.0, "a number")
}

pub(super) fn availability(text: &str) -> Result<f64, String> {
    if text == "total" { Ok(1.0) } else { fraction(text) }
}

/// Requests a second: none at all, or from one a day, for which the longest run is long enough.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let fastest = 1e6;
    match text.parse() {
        Ok(value) if value == 0.0 || (1.0 / 86_400.0..=fastest).contains(&value) => Ok(value),
        _ => Err(format!("expected 0, or a number from 1/86400 (one a day) to {fastest}")),
    }
}

/// A time: a number of seconds, or one with its unit, such as `20s`, `1m` or `500ms`. At most a day.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    time(text, Duration::ZERO)
}

/// The mean gap between two acts of one nemesis. Shorter ones are over before a message has arrived, and each act is kept.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    time(text, Duration::from_millis(10))
}

fn time(text: &str, shortest: Duration) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(24);
    let bare = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match bare.or_else(|| humantime::parse_duration(text).ok()) {
        Some(time) if (shortest..=LONGEST).contains(&time) => Ok(time),
        _ => Err(format!(
            "expected a time from {} to {} seconds, like 20, 20s, 1m or 500ms",
            shortest.as_secs_f64(),
            LONGEST.as_secs()
        )),
    }
}

/// Runs of a test. Each has a directory, so that a million fill a disk.
pub(super) fn test_count(text: &str) -> Result<u32, String> {
    whole(text, 1..=1_000_000, "")
}

/// Numbers of faults, separated by commas, or `none`. A run has no more faults than half of its acts.
pub(super) fn fault_numbers(text: &str) -> Result<BTreeSet<u32>, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
    names.map(|number| whole(number, 1..=u32::MAX, "")).collect()
}

/// A number of something of which at least one is wanted.
pub(super) fn count(text: &str) -> Result<u32, String> {
    whole(text, 1..=1_000_000, "")
}

/// How many operations a transaction has.
pub(super) fn length(text: &str) -> Result<u32, String> {
    whole(text, 1..=1000, "")
}

/// Consistency models, by their names.
pub(super) fn models(text: &str) -> Result<Box<[Model]>, String> {
    let names = text.split(',').map(str::trim);
    names.map(|name| name.parse().map_err(|error: UnknownModel| error.to_string())).collect()
}

/// `3..9`, or `3` for one seed. A billion clusters take weeks.
pub(super) fn seed_range(text: &str) -> Result<Range<u64>, String> {
    const MOST: u64 = 1_000_000_000;
    let seed = |text: &str| text.parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((start, end)) => seed(start).zip(seed(end)),
        None => seed(text).and_then(|seed| Some((seed, seed.checked_add(1)?))),
    };
    match range {
        Some((start, end)) if start < end && end - start <= MOST => Ok(start..end),
        Some((start, end)) if start < end => Err(format!("expected at most {MOST} seeds")),
        _ => Err(format!("expected a range like 0..1000, or a single seed, from 0 to {}", u64::MAX - 1)),
    }
}
