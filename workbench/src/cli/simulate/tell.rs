//! The outcome of a campaign, for people and for programs.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::super::text;
use super::called::Called;
use super::options::SimulateOptions;
use crate::campaign::{CampaignFailure, CampaignReport};
use crate::check::Violations;
use crate::mix::count;
use crate::plan::Plan;
use crate::shrink::Shrunk;

/// How many failed seeds are printed.
const SEEDS_SHOWN: usize = 10;

/// What there is to tell.
pub(super) struct Teller<'a> {
    pub(super) options: &'a SimulateOptions,
    pub(super) called: &'a Called,
    pub(super) report: &'a CampaignReport,
    /// The first failure, with its messages.
    pub(super) failure: Option<&'a CampaignFailure>,
    /// A smaller one.
    pub(super) shrunk: Option<&'a Shrunk>,
}

/// The same as a document.
#[derive(Serialize)]
struct Document<'a> {
    program: String,
    #[serde(flatten)]
    report: &'a CampaignReport,
    /// The command that replays the failure.
    replay: Option<String>,
    shrunk: Option<&'a Shrunk>,
    /// The command that replays the smaller failure.
    replay_shrunk: Option<String>,
    /// The command that runs the seeds that were not run.
    go_on: Option<String>,
}

impl Teller<'_> {
    /// The outcome as the flags want it.
    pub(super) fn told(&self) -> String {
        let document = Document {
            program: program(self.options),
            report: self.report,
            replay: self.failure.map(|failure| self.replay(&failure.plan)),
            shrunk: self.shrunk,
            replay_shrunk: self.shrunk.map(|shrunk| self.replay(&shrunk.failure.plan)),
            go_on: self.go_on(),
        };
        text(self.options.json, &document, || self.describe())
    }

    fn describe(&self) -> String {
        let totals = self.totals();
        let next = match self.go_on() {
            Some(go_on) => format!("\nnext        seed {}\ngo on       {go_on}", self.report.next_seed),
            None => String::new(),
        };
        let Some(failure) = self.failure else {
            let so_far = if next.is_empty() { "" } else { " so far" };
            return format!("{totals}: all valid{so_far}{next}");
        };
        let tally = self.tally(failure);
        format!("{}\n\n{totals}: {tally}{next}\n{}", story(failure), self.plan_and_replay(&failure.plan))
    }

    fn tally(&self, failure: &CampaignFailure) -> String {
        if !self.options.keep_going {
            return format!("seed {} failed", failure.seed);
        }
        let CampaignReport { failed, broken, panics, failed_seeds, .. } = self.report;
        let shown: Vec<String> = failed_seeds.iter().take(SEEDS_SHOWN).map(u64::to_string).collect();
        let more = failed.saturating_sub(shown.len() as u64);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let checks = broken.iter().map(|(check, count)| (check.name(), *count));
        let panics = Some(("panic".to_owned(), *panics)).filter(|(_, count)| *count > 0);
        let lines = checks.chain(panics).map(|(name, count)| format!("\n            {name} in {count}"));
        format!("{failed} failed, seeds {}{more}{}", shown.join(" "), lines.collect::<String>())
    }

    /// What a smaller failure has become.
    pub(super) fn shrunk(&self, from: &CampaignFailure, shrunk: &Shrunk) -> String {
        let to = &shrunk.failure;
        let (before, after) = (size(from), size(to));
        let sizes = format!(
            "shrunk      from {before}\n            to {after} ({} clusters were tried)",
            shrunk.runs
        );
        format!("\n{sizes}\n{}\n{}", findings(to), self.plan_and_replay(&to.plan))
    }

    fn plan_and_replay(&self, plan: &Plan) -> String {
        let drawn = plan.describe().replace('\n', "\n            ");
        let program = program(self.options);
        format!("drawn       {drawn}\nprogram     {program}\nreplay      {}", self.replay(plan))
    }

    fn replay(&self, plan: &Plan) -> String {
        self.called.replay(&self.options.replay(plan))
    }

    /// The command that runs the other seeds, if the campaign did not end by itself.
    fn go_on(&self) -> Option<String> {
        let (next, end) = (self.report.next_seed, self.options.seeds.end);
        let has_ended = next >= end || self.report.failure.is_some() && !self.options.keep_going;
        (!has_ended).then(|| self.called.with_seeds(&format!("{next}..{end}")))
    }

    fn totals(&self) -> String {
        let CampaignReport { runs, operations, messages, excused, excused_runs, .. } = self.report;
        let note = if *excused == 0 {
            String::new()
        } else {
            format!(", {excused} acknowledged adds excused in {excused_runs} clusters")
        };
        format!("{runs} clusters, {operations} operations, {messages} messages{note}")
    }
}

/// The program and the bench, with their versions.
pub(super) fn program(options: &SimulateOptions) -> String {
    let bench = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    options.version.map_or_else(|| bench.to_owned(), |version| format!("{version}, with {bench}"))
}

fn story(failure: &CampaignFailure) -> String {
    failure.report.as_ref().map_or_else(|| panic_text(failure), ToString::to_string)
}

fn panic_text(failure: &CampaignFailure) -> String {
    format!("a node panicked: {}", failure.panic.as_deref().unwrap_or_default())
}

/// What is wrong, without the figures of the run.
fn findings(failure: &CampaignFailure) -> String {
    let Some(report) = &failure.report else { return panic_text(failure) };
    Findings(&report.violations).to_string().trim_end().to_owned()
}

struct Findings<'a>(&'a Violations);

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write("broken", f)
    }
}

fn size(failure: &CampaignFailure) -> String {
    let Plan { node_count, time_limit, rate, .. } = *failure.plan;
    let seconds = time_limit.as_secs_f64();
    let (nodes, faults) =
        (count(node_count, "node"), failure.report.as_ref().map(|report| report.faults.len()));
    let faults = faults.map_or_else(String::new, |faults| format!(", {}", count(faults, "fault")));
    format!("{nodes}, {seconds} s, {rate} requests a second{faults}")
}
