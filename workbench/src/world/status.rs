//! A glance at a run under way, for those who watch it.

use super::{SetupFailure, World};

use crate::words::Seconds;

/// A glance at a run under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) phase: &'static str,
    pub(crate) operations: usize,
    pub(crate) faults: String,
    pub(crate) violations: u64,
}

impl World {
    /// Why the run never began, if it did not.
    pub(crate) fn setup_failure(&self) -> Option<&SetupFailure> {
        self.setup_failure.as_ref()
    }

    /// The state of the run, in a few words.
    pub(crate) fn status(&self) -> Status {
        Status {
            phase: self.phase.name(),
            operations: self.history.operations().len(),
            faults: self.faults.active(),
            violations: self.violations.counting(&self.plan.strict),
        }
    }

    /// The findings since the last call, for people.
    pub(crate) fn findings(&mut self) -> Vec<String> {
        let all = self.violations.examples();
        let news = all.get(self.told..).unwrap_or_default();
        self.told = all.len();
        news.iter()
            .map(|found| {
                let at = found.at.map_or_else(String::new, |at| format!("{} ", Seconds(at)));
                format!("{at}{}: {}", found.name(), found.text)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::workload::Counter;

    #[test]
    fn a_finding_is_told_once_and_when_it_happens() {
        let mut world = World::new(&Plan::new(&Counter::G, 1));
        assert!(world.findings().is_empty());
        while world.violations.examples().is_empty() {
            let next = world.next_wake().unwrap();
            world.wake(next);
        }
        let findings = world.findings();
        assert!(findings.iter().any(|finding| finding.starts_with("10.000 s init: n")), "{findings:?}");
        assert!(world.findings().is_empty());
    }
}
