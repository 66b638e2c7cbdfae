//! The last judgement: each counter has what the changes make of it that counted, and no others.
//!
//! It goes by sets of changes, not by counts. A reset observes a set of changes, and subtracts those. So a change is subtracted
//! once, however many resets have observed it, and one that no reset has observed counts.

use std::collections::BTreeMap;

use replica::{Change, Name, Reply, Rows};

use super::ledger::{Asked, Checked, Counted, Ledger, Observed, View, WentBack, is_excused};
use super::past::Versions;

impl Ledger {
    /// Judges all changes by the rows that the cluster holds at the end.
    pub(crate) fn judge(&mut self, held: &Rows, view: &View<'_>) -> Checked {
        let versions = held.versions();
        let is_there = |counted: &&Counted| counted.is_in(versions);
        for at in 0..self.asked.len() {
            let asked = &self.asked[at];
            let counted = asked.counted.as_ref().filter(is_there);
            match (asked.answer, counted) {
                (Some(Err(refusal)), Some(counted)) if counted.is_change && !refusal.may_have_counted() => {
                    return Err(format!("a change was counted that was refused: {refusal}"));
                }
                (Some(Ok(Reply::Counted | Reply::Reset(_))), None) => {
                    if !is_excused(asked, view) {
                        return Err(format!("an acknowledged change is lost: {asked:?}"));
                    }
                    self.excused += 1;
                    self.went_back += usize::from(self.asked[at].went_back == WentBack::Lost);
                }
                _ => {}
            }
        }
        let mut expected = self.values(versions);
        for counter in &view.plan.names {
            let (value, expected) = (held.value(counter), expected.remove(counter).unwrap_or_default());
            if value != expected {
                return Err(format!(
                    "the value of {counter:?} is {value}, and what counted and no reset has seen is {expected}"
                ));
            }
        }
        Ok(())
    }

    /// The value of each counter, by the changes that are in rows of these versions.
    fn values(&self, versions: &Versions) -> BTreeMap<Name, i128> {
        let there = |asked: &Asked| {
            let counted = asked.counted.clone()?;
            let is_there = counted.is_change && counted.is_in(versions);
            asked.change().cloned().filter(|_| is_there).map(|change| (counted, change))
        };
        let changes: Vec<(Counted, Change)> = self.asked.iter().filter_map(there).collect();
        let mut resets: BTreeMap<&Name, Observed> = BTreeMap::new();
        for (counted, change) in &changes {
            if let Change::Reset(counter) = change {
                resets.entry(counter).or_default().merge(&counted.observed);
            }
        }
        let is_seen = |counter: &Name, counted: &Counted| {
            resets.get(counter).is_some_and(|observed| counted.is_in(&observed.rows))
        };
        let mut values: BTreeMap<Name, i128> = BTreeMap::new();
        let mut totals: BTreeMap<(&Name, &Name), u64> = BTreeMap::new();
        for (counted, change) in &changes {
            let adds = match change {
                Change::Add(counter, delta) => &[(counter.clone(), *delta)][..],
                Change::Batch(adds) => adds,
                Change::Reset(_) => &[],
                Change::Report { counter, source, total } => {
                    let largest = totals.entry((counter, source)).or_default();
                    *largest = (*largest).max(*total);
                    &[]
                }
            };
            for (counter, delta) in adds.iter().filter(|(counter, _)| !is_seen(counter, counted)) {
                *values.entry(counter.clone()).or_default() += i128::from(*delta);
            }
        }
        for ((counter, source), total) in totals {
            let seen = resets.get(counter).and_then(|observed| observed.totals.get(source)).copied();
            let above = total.saturating_sub(seen.unwrap_or_default());
            *values.entry(counter.clone()).or_default() += i128::from(above);
        }
        values
    }
}
