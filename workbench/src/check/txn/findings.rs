//! What the checkers found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::links::Dependency;
use super::models::{Anomaly, Model};
use crate::words::Seconds;

/// One anomaly, with all that is needed to see that it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub anomaly: Anomaly,
    /// What happened, in one sentence that names the transactions T1, T2, and so on.
    pub text: String,
    /// How often the same sentence was found.
    pub count: u64,
    /// Whether it rests on an acknowledged append that no read shows. The Elle paper infers the order of a list from its reads alone, so such a
    /// finding goes beyond it.
    pub unread: bool,
    /// T1, T2, and so on.
    pub transactions: Vec<Participant>,
    /// The cycle, if it is one. Each step begins where the one before it ends, and the last one ends where the first one begins.
    pub steps: Vec<Step>,
}

/// A transaction of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// Its place in the history, from 0.
    pub number: usize,
    /// Who ran it.
    pub process: u64,
    /// When it was sent.
    pub invoked: Duration,
    /// When its answer came, if it did.
    pub completed: Option<Duration>,
    /// Its operations, for people. Long lists are cut.
    pub ops: String,
}

/// A step of a cycle: one transaction must come before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The first one, by its place in [`Finding::transactions`].
    pub from: usize,
    /// The second one, likewise.
    pub to: usize,
    /// Why.
    pub dependency: Dependency,
    /// The key, if it is about one.
    pub key: Option<i64>,
    /// The value that the first one wrote (`ww`, `wr`) or read (`rw`). `None` is the initial one.
    pub before: Option<i64>,
    /// The value that the second one wrote (`ww`, `rw`).
    pub after: Option<i64>,
    /// The same in words.
    pub text: String,
}

impl Finding {
    /// A drawing of a few lines: who did what when, and the cycle.
    pub fn drawing(&self) -> String {
        let mut text = String::new();
        for (place, one) in self.transactions.iter().enumerate() {
            let end = one.completed.map_or("?".to_owned(), |at| Seconds(at).to_string());
            let times = format!("{} to {end}", Seconds(one.invoked));
            _ = writeln!(text, "T{}  process {}, {times}: {}", place + 1, one.process, one.ops);
        }
        if let Some(first) = self.steps.first() {
            _ = write!(text, "T{}", first.from + 1);
            for step in &self.steps {
                let key = step.key.map_or(String::new(), |key| format!(" key {key}"));
                _ = write!(text, " --{}{key}--> T{}", step.dependency.name(), step.to + 1);
            }
            text.push('\n');
        }
        text
    }
}

/// All anomalies of a history: counted, with the first few of each kind in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    counts: BTreeMap<Anomaly, u64>,
    examples: Vec<Finding>,
}

impl Findings {
    /// How many of each anomaly are kept in full.
    const KEPT: usize = 8;

    /// Counts it. Identical ones are kept as one.
    pub(super) fn record(&mut self, finding: Finding) {
        let counted = self.counts.entry(finding.anomaly).or_default();
        *counted = counted.saturating_add(finding.count);
        let mut same = self.examples.iter_mut().filter(|kept| kept.anomaly == finding.anomaly);
        if let Some(kept) = same.find(|kept| kept.text == finding.text) {
            kept.count = kept.count.saturating_add(finding.count);
        } else if self.examples.iter().filter(|kept| kept.anomaly == finding.anomaly).count() < Self::KEPT {
            self.examples.push(finding);
        }
    }

    /// Counts more of a kind that has an example.
    pub(super) fn count(&mut self, anomaly: Anomaly, at_least: u64) {
        if let Some(counted) = self.counts.get_mut(&anomaly) {
            *counted = at_least.max(*counted);
        }
    }

    /// How many of each anomaly there are. Of cycles it counts the groups of transactions that depend on each other, or the
    /// transactions that came too late.
    pub fn counts(&self) -> &BTreeMap<Anomaly, u64> {
        &self.counts
    }

    /// The first few of each anomaly, the worst first.
    pub fn examples(&self) -> &[Finding] {
        &self.examples
    }

    /// The findings that a model forbids. If there is none, the model holds, as far as anybody can tell.
    pub fn against(&self, model: Model) -> impl Iterator<Item = &Finding> {
        self.examples.iter().filter(move |finding| model.forbids(finding.anomaly))
    }

    /// The models that the history breaks, the weakest first.
    pub fn broken_models(&self) -> Vec<Model> {
        Model::ALL.into_iter().filter(|model| self.against(*model).next().is_some()).collect()
    }

    pub(super) fn sort(&mut self) {
        self.examples.sort_by_key(|finding| (finding.anomaly, finding.steps.len()));
    }
}
