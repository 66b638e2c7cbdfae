//! One counter in all rows: its value, and what a reset sees of it.

use super::{Baseline, Counters, EntryRef};
use crate::{GCounter, Merge};
use alloc::sync::Arc;

impl<A: Ord + Clone> Counters<A> {
    /// The value of a counter: what the actors added, less what they took away, and what sources reported, each as far as it is
    /// above what resets have seen. 0 if there is no such counter.
    ///
    /// Costs a look-up for the name, and one in each row.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "stock", 30)?;
    /// counters.add("n1", "stock", -4)?;
    /// assert_eq!(counters.value("stock"), 26);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn value(&self, name: &str) -> i128 {
        value(&self.entries(name, None))
    }

    /// The value of a counter if `entry` were what `actor` has counted for it: with changes that are not in the state yet.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry};
    ///
    /// let mut counters = Counters::<String>::new();
    /// counters.add("n0", "stock", 30)?;
    /// counters.add("n1", "stock", 1)?;
    /// let entry = Entry { up: 31, down: 4, more: None };
    /// assert_eq!(counters.value_with("stock", (&"n0".to_string(), entry.borrowed())), 28);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn value_with(&self, name: &str, own: (&A, EntryRef<'_, A>)) -> i128 {
        value(&self.entries(name, Some(own)))
    }

    /// What each actor has counted for a counter. What stands there of the `own` actor is replaced by what is given.
    fn entries<'a>(
        &'a self,
        name: &str,
        own: Option<(&'a A, EntryRef<'a, A>)>,
    ) -> impl Iterator<Item = (&'a A, EntryRef<'a, A>)> + Clone + use<'a, A> {
        let name = self.names.find(name);
        let rows = name.map_or(&[][..], |_| &self.rows);
        let found =
            rows.iter().filter_map(move |row| name.and_then(|name| row.find(name)).map(|slot| (row, slot)));
        let others = found.filter(move |(row, _)| own.is_none_or(|(actor, _)| row.actor != *actor));
        others.map(|(row, slot)| (&row.actor, row.entry(slot))).chain(own)
    }

    /// The actors that have changed a counter, each with the number of its last change of it.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "stock", 30)?;
    /// counters.add("n0", "views", 1)?;
    /// counters.add("n1", "views", 1)?;
    /// assert_eq!(counters.changes("stock").collect::<Vec<_>>(), [(&"n0".to_string(), 1)]);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn changes(&self, name: &str) -> impl Iterator<Item = (&A, u64)> {
        let name = self.names.find(name);
        let rows = name.map_or(&[][..], |_| &self.rows);
        rows.iter().filter_map(move |row| Some((&row.actor, row.number(row.find(name?)?))))
    }

    /// The largest total that each source reported to a counter, resets or not.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// let mut batch = counters.change("n0");
    /// batch.report("views", "sensor-7", 41)?;
    /// batch.commit()?;
    /// assert_eq!(counters.totals("views").get("sensor-7"), 41);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn totals(&self, name: &str) -> GCounter<Arc<str>> {
        totals(&self.entries(name, None))
    }

    /// All that is known of a counter here, and what earlier resets have seen: what a reset has to note, see
    /// [`Entry::reset`](super::Entry::reset).
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "stock", -4)?;
    /// assert_eq!(counters.observed("stock").counts.counts("n0"), (0, 4));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn observed(&self, name: &str) -> Baseline<A> {
        observed(&self.entries(name, None))
    }

    /// As [`observed`](Self::observed), if `entry` were what `actor` has counted for it.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry};
    ///
    /// let entry = Entry { up: 3, down: 0, more: None };
    /// let observed = Counters::new().observed_with("stock", (&"n0".to_string(), entry.borrowed()));
    /// assert_eq!(observed.counts.counts("n0"), (3, 0));
    /// ```
    pub fn observed_with(&self, name: &str, own: (&A, EntryRef<'_, A>)) -> Baseline<A> {
        observed(&self.entries(name, Some(own)))
    }

    /// Whether anything was counted or reported that no reset has seen. So a counter that was added to and is 0 now differs from one
    /// that nobody has counted since it was reset.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// assert!(!counters.is_counted("stock"));
    /// counters.add("n0", "stock", 3)?;
    /// counters.add("n0", "stock", -3)?;
    /// assert_eq!((counters.is_counted("stock"), counters.value("stock")), (true, 0));
    /// let mut batch = counters.change("n0");
    /// batch.reset("stock");
    /// batch.commit()?;
    /// assert!(!counters.is_counted("stock"));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn is_counted(&self, name: &str) -> bool {
        is_counted(&self.entries(name, None))
    }

    /// As [`is_counted`](Self::is_counted), if `entry` were what `actor` has counted for it.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry};
    ///
    /// let entry = Entry { up: 3, down: 0, more: None };
    /// assert!(Counters::new().is_counted_with("stock", (&"n0".to_string(), entry.borrowed())));
    /// ```
    pub fn is_counted_with(&self, name: &str, own: (&A, EntryRef<'_, A>)) -> bool {
        is_counted(&self.entries(name, Some(own)))
    }

    /// The [value](Self::value) of a counter that [is counted](Self::is_counted), with one look-up for both.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// assert_eq!(counters.counted_value("stock"), None);
    /// counters.add("n0", "stock", 3)?;
    /// assert_eq!(counters.counted_value("stock"), Some(3));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn counted_value(&self, name: &str) -> Option<i128> {
        counted_value(&self.entries(name, None))
    }

    /// As [`counted_value`](Self::counted_value), if `entry` were what `actor` has counted for it.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry};
    ///
    /// let entry = Entry { up: 3, down: 0, more: None };
    /// assert_eq!(Counters::new().counted_value_with("stock", (&"n0".to_string(), entry.borrowed())), Some(3));
    /// ```
    pub fn counted_value_with(&self, name: &str, own: (&A, EntryRef<'_, A>)) -> Option<i128> {
        counted_value(&self.entries(name, Some(own)))
    }
}

/// Of one counter: what each actor has counted.
trait Entries<'a, A: 'a>: Iterator<Item = (&'a A, EntryRef<'a, A>)> + Clone {}

impl<'a, A: 'a, I: Iterator<Item = (&'a A, EntryRef<'a, A>)> + Clone> Entries<'a, A> for I {}

fn value<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> i128 {
    plain(entries).map_or_else(|| value_above_baseline(entries), |(value, _)| value)
}

/// The value, and whether anything was counted. `None` if a reset or a source has a say in it.
fn plain<'a, A: 'a>(entries: &impl Entries<'a, A>) -> Option<(i128, bool)> {
    let (mut sum, mut is_counted) = (0, false);
    for (_, entry) in entries.clone() {
        if entry.more.is_some() {
            return None;
        }
        sum += balance((entry.up, entry.down));
        is_counted |= (entry.up, entry.down) != (0, 0);
    }
    Some((sum, is_counted))
}

fn value_above_baseline<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> i128 {
    let seen = baseline(entries);
    let counts = entries
        .clone()
        .map(|(actor, entry)| balance(above((entry.up, entry.down), seen.counts.counts(actor))));
    let totals = totals(entries);
    let totals = totals.iter().map(|(source, total)| total.saturating_sub(seen.totals.get(source)));
    counts.sum::<i128>() + totals.map(i128::from).sum::<i128>()
}

fn is_counted<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> bool {
    if let Some((_, is_counted)) = plain(entries) {
        return is_counted;
    }
    let seen = baseline(entries);
    entries.clone().any(|(actor, entry)| above((entry.up, entry.down), seen.counts.counts(actor)) != (0, 0))
        || totals(entries).iter().any(|(source, total)| total > seen.totals.get(source))
}

fn counted_value<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> Option<i128> {
    match plain(entries) {
        Some((value, is_counted)) => is_counted.then_some(value),
        None => is_counted(entries).then(|| value_above_baseline(entries)),
    }
}

/// What resets have seen.
fn baseline<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> Baseline<A> {
    let mut all = Baseline::default();
    for more in entries.clone().filter_map(|(_, entry)| entry.more) {
        all.merge(&more.baseline);
    }
    all
}

fn totals<'a, A: 'a>(entries: &impl Entries<'a, A>) -> GCounter<Arc<str>> {
    let mut all = GCounter::new();
    for more in entries.clone().filter_map(|(_, entry)| entry.more) {
        all.merge(&more.totals);
    }
    all
}

fn observed<'a, A: Ord + Clone + 'a>(entries: &impl Entries<'a, A>) -> Baseline<A> {
    let mut all = baseline(entries);
    for (actor, entry) in entries.clone() {
        all.counts.raise(actor, entry.up, entry.down);
    }
    all.totals.merge(&totals(entries));
    all
}

fn above((up, down): (u64, u64), (seen_up, seen_down): (u64, u64)) -> (u64, u64) {
    (up.saturating_sub(seen_up), down.saturating_sub(seen_down))
}

fn balance((up, down): (u64, u64)) -> i128 {
    i128::from(up) - i128::from(down)
}
