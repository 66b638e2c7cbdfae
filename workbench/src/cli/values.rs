//! Values of flags.

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use crate::check::Check;
use crate::nemesis::Fault;

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

pub(super) fn fraction(text: &str) -> Result<f64, String> {
    let value: f64 = number(text)?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("expected a number from 0 to 1".into()) }
}

pub(super) fn availability(text: &str) -> Result<f64, String> {
    if text == "total" { Ok(1.0) } else { fraction(text) }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let value = number(text)?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err("expected a number from 0 to a million".into()) }
}

/// A time in seconds, at most a day.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let value = number(text)?;
    if (0.0..=86_400.0).contains(&value) {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err("expected seconds, at least 0 and at most 86400".into())
    }
}

/// A time in seconds that is not none at all.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    seconds(text)
        .and_then(|span| if span.is_zero() { Err("expected more than 0 seconds".into()) } else { Ok(span) })
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".into())
}

/// `3..9`, or `3` for that one alone.
pub(super) fn seed_range(text: &str) -> Result<Range<u64>, String> {
    let seed = |text: &str| text.parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((start, end)) => seed(start).zip(seed(end)),
        None => seed(text).and_then(|seed| Some((seed, seed.checked_add(1)?))),
    };
    match range {
        Some((start, end)) if start < end => Ok(start..end),
        _ => Err("expected a range like 0..1000, or a single seed".into()),
    }
}
