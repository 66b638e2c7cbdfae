//! The violations that the checks find.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Formatter};
use std::time::Duration;

use serde::Serialize;

use super::Check;
use crate::units;
use crate::words::Seconds;

/// A rule that was broken: where, when, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule.
    pub check: Check,
    /// The name of the anomaly, if the rule is about anomalies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<String>,
    /// The time, if it happened at one.
    #[serde(serialize_with = "units::optional_seconds")]
    pub at: Option<Duration>,
    /// What happened.
    pub text: String,
    /// How many there were, with this one: those of the same rule whose text is the same but for its numbers. Of an anomaly the text
    /// must be the same.
    pub count: u64,
    /// When the last of these happened, if there are several.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "units::optional_seconds")]
    pub last: Option<Duration>,
}

impl Violation {
    /// The name in reports: the anomaly's, or else the rule's.
    pub fn name(&self) -> String {
        self.anomaly.clone().unwrap_or_else(|| self.check.name())
    }

    /// Says how many more there were, and when the last one: `12 like this, the last at 3.100 s`. `None` if it is the only one.
    pub(crate) fn others(&self) -> Option<String> {
        let last = self.last.map_or_else(String::new, |last| format!(", the last at {}", Seconds(last)));
        (self.count > 1).then(|| format!("{} like this{last}", self.count))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.check == other.check
            && self.anomaly == other.anomaly
            && if self.anomaly.is_some() { self.text == other.text } else { alike(&self.text, &other.text) }
    }
}

/// Whether two texts are the same but for their numbers.
fn alike(one: &str, other: &str) -> bool {
    let is_number = |character: char| character.is_ascii_digit();
    let words = |text| str::split(text, is_number).filter(|words: &&str| !words.is_empty());
    words(one).eq(words(other))
}

/// All violations of a run: counted, with the first one of each kind in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Violations {
    counts: BTreeMap<Check, u64>,
    /// How often each anomaly was found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    anomalies: BTreeMap<String, u64>,
    examples: Vec<Violation>,
    /// The moments of the latest findings. See [`take_news`](Self::take_news).
    #[serde(skip)]
    news: Vec<Duration>,
}

impl Violations {
    /// How many kinds of each check, or of each anomaly, are kept in full.
    const KEPT: usize = 10;
    /// Of how many findings of a check the moments are [news](Self::take_news), whatever their kind.
    const NEWS: u64 = 10;

    /// Records that a rule was broken. The text says what happened, where, and in which operation.
    pub fn record(&mut self, check: Check, at: Option<Duration>, text: impl Into<String>) {
        self.keep(Violation { check, anomaly: None, at, text: text.into(), count: 1, last: None });
    }

    /// The same for a rule about anomalies, with the name of the anomaly.
    pub fn record_anomaly(
        &mut self,
        check: Check,
        anomaly: &str,
        at: Option<Duration>,
        text: impl Into<String>,
    ) {
        *self.anomalies.entry(anomaly.to_owned()).or_default() += 1;
        let anomaly = Some(anomaly.to_owned());
        self.keep(Violation { check, anomaly, at, text: text.into(), count: 1, last: None });
    }

    fn keep(&mut self, found: Violation) {
        let count = self.counts.entry(found.check).or_default();
        *count += 1;
        let is_early = *count <= Self::NEWS;
        let of_rule = |other: &&Violation| other.check == found.check && other.anomaly == found.anomaly;
        let has_room = self.examples.iter().filter(of_rule).count() < Self::KEPT;
        let known = self.examples.iter_mut().find(|known| known.is_like(&found));
        let is_kept = known.is_none() && has_room;
        self.news.extend(found.at.filter(|_| is_early || is_kept));
        if let Some(known) = known {
            known.count += 1;
            known.last = known.last.max(known.at).max(found.at);
        } else if has_room {
            self.examples.push(found);
        }
    }

    /// The moments of findings since the last call: of the first ones of each check, and of each that is kept in full.
    pub(crate) fn take_news(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.news)
    }

    /// Counts an anomaly that was recorded at least as often as this.
    pub(crate) fn raise_anomaly(&mut self, check: Check, anomaly: &str, at_least: u64) {
        if let Some(count) = self.anomalies.get_mut(anomaly) {
            let more = at_least.saturating_sub(*count);
            *count += more;
            *self.counts.entry(check).or_default() += more;
        }
    }

    /// How often each anomaly was found. Those that were not are not in it.
    pub fn anomalies(&self) -> &BTreeMap<String, u64> {
        &self.anomalies
    }

    /// How often each check failed. Checks that hold are not in it.
    pub fn counts(&self) -> &BTreeMap<Check, u64> {
        &self.counts
    }

    /// The first one of each kind, in the order in which they were found: at most 10 of each check, or of each anomaly.
    pub fn examples(&self) -> &[Violation] {
        &self.examples
    }

    /// The number of violations that count.
    #[cfg(feature = "processes")]
    pub(crate) fn counting(&self, strict: &BTreeSet<Check>) -> u64 {
        self.counts.iter().filter(|(check, _)| check.counts(strict)).map(|(_, count)| count).sum()
    }

    /// Removes the violations that do not count, and returns them.
    pub(crate) fn take_remarks(&mut self, strict: &BTreeSet<Check>) -> Self {
        let Self { counts, anomalies, examples, news } = std::mem::take(self);
        let (counts, other_counts) = counts.into_iter().partition(|(check, _)| check.counts(strict));
        let (examples, other_examples): (Vec<_>, Vec<_>) =
            examples.into_iter().partition(|found| found.check.counts(strict));
        // An anomaly belongs to one check, and has examples.
        let is_remark =
            |name: &str| other_examples.iter().any(|found| found.anomaly.as_deref() == Some(name));
        let (other_anomalies, anomalies) = anomalies.into_iter().partition(|(name, _)| is_remark(name));
        *self = Self { counts, anomalies, examples, news };
        Self { counts: other_counts, anomalies: other_anomalies, examples: other_examples, news: Vec::new() }
    }

    /// For people: each broken rule, or anomaly, with its first examples. The rule that was broken first comes first.
    pub(crate) fn write(&self, heading: &str, f: &mut Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let mut kinds: BTreeMap<(Check, Option<&str>), Vec<&Violation>> = BTreeMap::new();
        for violation in &self.examples {
            kinds.entry((violation.check, violation.anomaly.as_deref())).or_default().push(violation);
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        // What has no time is about the whole run.
        let first =
            |examples: &[&Violation]| examples.iter().filter_map(|it| it.at).min().unwrap_or(Duration::MAX);
        kinds.sort_by_key(|(_, examples)| first(examples));
        for ((check, anomaly), examples) in kinds {
            let count = anomaly.map_or_else(|| self.counts.get(&check), |name| self.anomalies.get(name));
            let count = count.copied().unwrap_or_default();
            let name = anomaly.map_or_else(|| check.name(), str::to_owned);
            let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
            writeln!(f, "{heading:<11} {name} ({times})")?;
            for violation in examples.iter().take(SHOWN) {
                write_one(violation, f)?;
            }
            if let Some(more) = examples.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                writeln!(f, "            {more} other kinds")?;
            }
        }
        Ok(())
    }
}

fn write_one(violation: &Violation, f: &mut Formatter<'_>) -> fmt::Result {
    let at = violation.at.map_or(String::new(), |at| format!("{} ", Seconds(at)));
    let text = violation.text.replace('\n', "\n            ");
    writeln!(f, "            {at}{text}")?;
    violation.others().map_or(Ok(()), |others| writeln!(f, "            ({others})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(found: &mut Violations, check: Check, millis: u64, text: &str) {
        found.record(check, Some(Duration::from_millis(millis)), text);
    }

    #[test]
    fn findings_that_differ_in_numbers_only_are_one_with_a_count() {
        let mut found = Violations::default();
        record(&mut found, Check::Answers, 1500, "n1 gave out 7");
        record(&mut found, Check::Answers, 2500, "n0 gave out 13");
        record(&mut found, Check::Answers, 2000, "n0 gave out x");
        record(&mut found, Check::Schema, 3000, "n0 gave out 13");
        record(&mut found, Check::Answers, 3500, "n2 gave out 1");
        let told: Vec<_> =
            found.examples().iter().map(|it| (it.text.as_str(), it.count, it.others())).collect();
        let others = Some("3 like this, the last at 3.500 s".to_owned());
        assert_eq!(
            told,
            [("n1 gave out 7", 3, others), ("n0 gave out x", 1, None), ("n0 gave out 13", 1, None)]
        );
        assert_eq!(found.counts()[&Check::Answers], 4);
    }

    #[test]
    fn anomalies_are_one_only_if_they_are_the_same() {
        let mut found = Violations::default();
        for text in ["T1 --> T2", "T1 --> T3", "T1 --> T2"] {
            found.record_anomaly(Check::Anomalies, "G0", None, text);
        }
        assert_eq!(found.examples().iter().map(|it| it.count).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(found.anomalies()["G0"], 3);
    }

    /// A finding that is never told in full has no moment to mark, but for the first ones.
    #[test]
    fn the_moments_of_the_first_findings_and_of_each_new_kind_are_news() {
        let mut found = Violations::default();
        for number in 0..100 {
            record(&mut found, Check::Answers, number, &format!("n{number}"));
        }
        assert_eq!(found.take_news().len(), 10);
        for letter in 'a'..='z' {
            record(&mut found, Check::Answers, 0, &letter.to_string());
        }
        assert_eq!((found.take_news().len(), found.examples().len()), (9, 10));
    }
}
