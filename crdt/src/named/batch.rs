use super::{ChangeError, Counters, Entry, MAX_SOURCES, RowDelta};
use crate::ToActor;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

/// Changes of one actor that share one number. Nothing is changed before [`commit`](Self::commit).
///
/// ```
/// use crdt::named::Counters;
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "today", 7)?;
/// let mut batch = counters.change("n0");
/// batch.reset("today").add("days", 1)?;
/// batch.commit()?;
/// assert_eq!((counters.value("today"), counters.value("days")), (0, 1));
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[must_use = "a batch that is not committed changes nothing"]
pub struct Batch<'a, A> {
    counters: &'a mut Counters<A>,
    actor: A,
    /// What the entries of the actor will be.
    staged: BTreeMap<String, Entry<A>>,
}

impl<'a, A: Ord + Clone> Batch<'a, A> {
    pub(super) fn new(counters: &'a mut Counters<A>, actor: A) -> Self {
        Self { counters, actor, staged: BTreeMap::new() }
    }

    /// Adds `delta` to a counter.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u64>::new();
    /// let mut batch = counters.change(7);
    /// batch.add("views", 3)?.add("views", 4)?;
    /// batch.commit()?;
    /// assert_eq!(counters.value("views"), 7);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError::Overflow`] if the actor's increments or decrements would pass `u64::MAX`. The batch is as it was.
    pub fn add(&mut self, name: &str, delta: i64) -> Result<&mut Self, ChangeError> {
        let mut entry = self.entry(name);
        entry.add(delta)?;
        Ok(self.stage(name, entry))
    }

    /// Says that `source` has counted `total` so far. A total that is not above the largest reported changes nothing.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u64>::new();
    /// let mut batch = counters.change(7);
    /// batch.report("views", "sensor-7", 41)?.report("views", "sensor-7", 40)?;
    /// batch.commit()?;
    /// assert_eq!(counters.value("views"), 41);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError::Sources`] if the source is new and the counter has [`MAX_SOURCES`]. The batch is as it was.
    pub fn report(
        &mut self,
        name: &str,
        source: impl ToActor<Arc<str>>,
        total: u64,
    ) -> Result<&mut Self, ChangeError> {
        let source = source.to_actor();
        let mut entry = self.entry(name);
        let mut known = self.counters.totals(name);
        if let Some(more) = &entry.more {
            known.merge(&more.totals);
        }
        if known.len() >= MAX_SOURCES && !known.contains(&source) {
            return Err(ChangeError::Sources);
        }
        if total > known.get(&source) {
            entry.report(source, total)?;
        }
        Ok(self.stage(name, entry))
    }

    /// Resets a counter: its value is 0, but for what this state has not heard yet, and for what comes later in this batch.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u64>::new();
    /// counters.add(7, "views", 3)?;
    /// let mut batch = counters.change(7);
    /// batch.reset("views");
    /// batch.commit()?;
    /// assert_eq!(counters.value("views"), 0);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn reset(&mut self, name: &str) -> &mut Self {
        let mut entry = self.entry(name);
        let observed = self.counters.observed_with(name, (&self.actor, entry.borrowed()));
        entry.reset(&observed);
        self.stage(name, entry)
    }

    /// Makes the changes, and returns their number: the new version of the actor's row. Changes that come to nothing have
    /// no number: the version stays.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<u64>::new();
    /// assert_eq!(counters.change(7).commit()?, 0);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError`] if there is no room for the new counters, or the actor's numbers are used up. Nothing is changed then.
    pub fn commit(self) -> Result<u64, ChangeError> {
        let Self { counters, actor, staged } = self;
        let version = counters.version(&actor);
        let number = version.checked_add(1).ok_or(ChangeError::Overflow)?;
        let mut next = counters.slots(&actor);
        let mut delta = RowDelta::new(actor, version, number);
        for (name, entry) in staged {
            let known = counters.slot(&delta.actor, &name);
            let before = known.and_then(|slot| counters.entry(&delta.actor, slot));
            if before.map_or(entry == Entry::default(), |before| before == entry.borrowed()) {
                continue;
            }
            let slot = known.unwrap_or(next);
            next += u32::from(known.is_none());
            delta.push(slot, number, known.is_none().then_some(&name), entry);
        }
        if delta.is_empty() {
            return Ok(version);
        }
        // It is well formed, so that nothing but a lack of room can be in the way.
        counters.apply(&delta).map_err(|_| ChangeError::Full)?;
        Ok(number)
    }

    /// The entry as staged, or as it stands.
    fn entry(&self, name: &str) -> Entry<A> {
        let staged = self.staged.get(name).cloned();
        let standing = || {
            let slot = self.counters.slot(&self.actor, name)?;
            self.counters.entry(&self.actor, slot).map(super::EntryRef::to_entry)
        };
        staged.or_else(standing).unwrap_or_default()
    }

    fn stage(&mut self, name: &str, entry: Entry<A>) -> &mut Self {
        self.staged.insert(name.into(), entry);
        self
    }
}
