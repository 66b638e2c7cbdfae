//! How a campaign ended, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use serde::Serialize;

use super::SimulateOptions;
use crate::campaign::{CampaignReport, RunOutcome};
use crate::plan::Plan;

/// Where lines of flags are wrapped.
const WIDTH: usize = 100;

/// Why a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stop {
    /// All seeds were run.
    AtTheEnd,
    /// A cluster failed.
    AtAFailure,
    /// The time budget was used up.
    OutOfTime,
    /// A signal came.
    Interrupted,
}

/// The outcome of a campaign. `Display` leaves out the smaller cluster, which is told later.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<'a> {
    program: &'a str,
    bench: &'static str,
    stop: Stop,
    /// The command line that runs the seeds which are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    go_on: Option<String>,
    #[serde(flatten)]
    campaign: &'a CampaignReport,
    /// The cluster with the lowest seed of those that failed.
    pub(super) cluster: Option<FailedCluster>,
    pub(super) shrunk: Option<ShrunkCluster>,
}

/// A cluster that failed, with all that is needed to run it once more.
#[derive(Debug, Serialize)]
pub(super) struct FailedCluster {
    /// What the flags that pin it stand for, before it is adapted.
    #[serde(skip)]
    pub(super) plan: Plan,
    /// What was found, the gravest first.
    pub(super) findings: Vec<String>,
    /// Everything that was drawn.
    mix: BTreeMap<&'static str, String>,
    settings: BTreeMap<String, String>,
    /// The command line that runs it once more.
    replay: String,
    /// Where it is recorded.
    directory: Option<PathBuf>,
    #[serde(skip)]
    story: String,
}

/// A smaller cluster that fails by the same check.
#[derive(Debug, Serialize)]
pub(super) struct ShrunkCluster {
    /// How many runs the search took.
    runs: u32,
    /// The settings of the first cluster that differ.
    from: BTreeMap<&'static str, String>,
    /// The same settings of the smaller one.
    to: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    cluster: FailedCluster,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(campaign: &'a CampaignReport, stop: Stop, options: &'a SimulateOptions) -> Self {
        let left = campaign.next_seed..options.seeds.end;
        let flags = ["--seeds".to_owned(), format!("{}..{}", left.start, left.end)];
        let go_on = (!left.is_empty()).then(|| options.command_line.with_one("seeds", &flags));
        let bench = concat!("maelstrom-workbench ", env!("CARGO_PKG_VERSION"));
        Self { program: &options.version, bench, stop, go_on, campaign, cluster: None, shrunk: None }
    }

    fn totals(&self) -> String {
        let CampaignReport { runs, operations, messages, excused, excused_runs, .. } = self.campaign;
        let note = match excused {
            0 => String::new(),
            excused => format!(", {excused} acknowledged adds excused in {excused_runs} clusters"),
        };
        let clusters = if *runs == 1 { "cluster" } else { "clusters" };
        format!("{runs} {clusters}, {operations} operations, {messages} messages{note}")
    }

    fn write_findings(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (finding, seeds) in &self.campaign.findings {
            let lowest: Vec<String> = seeds.lowest.iter().map(u64::to_string).collect();
            let more = seeds.count - lowest.len() as u64;
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            write!(f, "\n            {finding} in {}: seeds {}{more}", seeds.count, lowest.join(", "))?;
        }
        Ok(())
    }
}

impl Display for Outcome<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = &self.cluster {
            writeln!(f, "{}", cluster.story)?;
            write_flags(f, "drawn", cluster.mix.iter())?;
            let settings: Vec<String> =
                cluster.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
            if !settings.is_empty() {
                writeln!(f, "settings    {}", settings.join(", "))?;
            }
            let program = [self.program, self.bench].into_iter().filter(|name| !name.is_empty());
            writeln!(f, "program     {}\n", program.collect::<Vec<_>>().join(", "))?;
        }
        let verdict = match (&self.campaign.failure, self.campaign.failed) {
            (None, _) => "all valid".to_owned(),
            (Some(failure), 1) => format!("seed {} failed", failure.seed),
            (Some(_), failed) => format!("{failed} of them failed"),
        };
        write!(f, "{}: {verdict}", self.totals())?;
        self.write_findings(f)?;
        match (self.stop, &self.go_on) {
            (Stop::OutOfTime, Some(line)) => {
                write!(f, "\nstopped     the time budget is used up; go on with\n            {line}")?
            }
            (Stop::Interrupted, Some(line)) => {
                write!(f, "\nstopped     by a signal; go on with\n            {line}")?
            }
            (Stop::AtTheEnd | Stop::AtAFailure, _) | (_, None) => {}
        }
        self.cluster.iter().try_for_each(|cluster| cluster.write_replay(f))
    }
}

impl FailedCluster {
    /// `plan` is the plan that ran as `run`, before it was adapted.
    pub(super) fn new(
        options: &SimulateOptions,
        plan: Plan,
        run: RunOutcome,
        directory: Option<PathBuf>,
    ) -> Self {
        let mut flags = options.flags(&plan);
        flags.push("--no-shrink".to_owned());
        let replay = options.command_line.with_all(&flags);
        let findings = run.findings();
        let RunOutcome { plan: adapted, result } = run;
        let story = match result {
            Ok(report) => report.to_string(),
            Err(panic) => format!("a node panicked: {panic}"),
        };
        let mix = adapted.mix().into_iter().collect();
        Self { plan, findings, mix, settings: adapted.settings, replay, directory, story }
    }

    fn write_replay(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\nreplay      {}", self.replay)?;
        let directory = self.directory.iter();
        directory.map(|path| path.display()).try_for_each(|path| write!(f, "\nrecorded    {path}"))
    }
}

impl ShrunkCluster {
    pub(super) fn new(runs: u32, first: &Plan, cluster: FailedCluster) -> Self {
        let (before, after) = (first.mix(), cluster.plan.mix());
        let differs = |mix: &[(&'static str, String)], other: &[(&'static str, String)]| {
            mix.iter().filter(|setting| !other.contains(setting)).cloned().collect()
        };
        Self { runs, from: differs(&before, &after), to: differs(&after, &before), cluster }
    }
}

impl Display for ShrunkCluster {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.to.is_empty() {
            return write!(f, "\nshrunk      not: {} runs found no smaller cluster that fails", self.runs);
        }
        writeln!(
            f,
            "\nshrunk      in {} runs to a cluster that still breaks {}",
            self.runs,
            self.cluster.findings.join(", ")
        )?;
        write_flags(f, "  from", self.from.iter())?;
        write_flags(f, "  to", self.to.iter())?;
        let faults = self.cluster.story.lines().skip_while(|line| !line.starts_with("faults"));
        let is_of_faults = |(number, line): &(usize, &str)| *number == 0 || line.starts_with(' ');
        faults.enumerate().take_while(is_of_faults).try_for_each(|(_, line)| writeln!(f, "{line}"))?;
        self.cluster.write_replay(f)
    }
}

/// Settings as flags, on as many lines as they need.
fn write_flags<'a>(
    f: &mut Formatter<'_>,
    heading: &str,
    flags: impl Iterator<Item = (&'a &'static str, &'a String)>,
) -> fmt::Result {
    let mut line = format!("{heading:<11}");
    for (flag, value) in flags {
        let flag = format!(" --{flag} {value}");
        if line.len() + flag.len() > WIDTH {
            writeln!(f, "{line}")?;
            line = " ".repeat(11);
        }
        line.push_str(&flag);
    }
    writeln!(f, "{line}")
}
