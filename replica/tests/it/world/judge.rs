//! The last judgement: each counter has what the changes make of it that counted, and no others.
//!
//! It goes by sets of changes, not by counts. A reset observes a set of changes, and subtracts those. So a change is subtracted
//! once, however many resets have observed it, and one that no reset has observed counts.

use std::collections::BTreeMap;

use crdt::Merge;
use replica::{AckPolicy, Change, Name, Rows};

use super::answers::is_excused;
use super::ledger::{Asked, Checked, Counted, Ledger, Observed, View, WentBack};
use super::past::{Act, Versions, acts};

impl Ledger {
    /// Judges all changes by the rows that the cluster holds at the end.
    pub(crate) fn judge(&mut self, held: &Rows, view: &View<'_>) -> Checked {
        let versions = held.versions();
        let is_there = |counted: &&Counted| counted.is_in(versions);
        for at in 0..self.asked.len() {
            let asked = &self.asked[at];
            let counted = asked.counted.as_ref().filter(is_there);
            if let (Some(versions), true) = (asked.imports(), asked.acknowledged.is_some())
                && view.plan.config.ack != AckPolicy::Memory
                && !held.versions().covers(versions)
            {
                return Err(format!("an acknowledged import is lost: {asked:?}"));
            }
            match (&asked.answer, counted) {
                (Some(Err(refusal)), Some(counted)) if counted.is_change && !refusal.may_have_counted() => {
                    return Err(format!("a change was counted that was refused: {refusal}"));
                }
                (Some(Ok(_)), None) if asked.change().is_some() => {
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
        for (counter, observed) in changes.iter().flat_map(|(counted, _)| &counted.observed) {
            resets.entry(counter).or_default().merge(observed);
        }
        let is_seen = |counter: &Name, counted: &Counted| {
            resets.get(counter).is_some_and(|observed| counted.is_in(&observed.rows))
        };
        let mut values: BTreeMap<Name, i128> = BTreeMap::new();
        let mut totals: BTreeMap<(&Name, &Name), u64> = BTreeMap::new();
        for (counted, change) in &changes {
            let mut acts = acts(change);
            while let Some((counter, act)) = acts.pop() {
                match act {
                    Act::Add(delta) if !is_seen(counter, counted) => {
                        *values.entry(counter.clone()).or_default() += i128::from(delta);
                    }
                    Act::Add(_) => {}
                    // It sees what the same change has done before it.
                    Act::Reset => acts.retain(|(other, _)| *other != counter),
                    Act::Report(source, total) => {
                        let largest = totals.entry((counter, source)).or_default();
                        *largest = total.max(*largest);
                    }
                }
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
