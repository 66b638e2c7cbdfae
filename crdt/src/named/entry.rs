use super::{Baseline, ChangeError, MAX_SOURCES, More};
use crate::{Merge, Overflow, ToActor};
use alloc::boxed::Box;
use alloc::sync::Arc;

/// All that one replica has counted for one counter: absolute, never a difference.
///
/// Entries of one slot merge by maximum, so that no entry goes back whatever is heard.
///
/// ```
/// use crdt::named::Entry;
///
/// let mut entry = Entry::<String>::default();
/// entry.add(5)?;
/// entry.add(-2)?;
/// assert_eq!((entry.up, entry.down), (5, 2));
/// # Ok::<(), crdt::Overflow>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<A> {
    /// The sum of the increments.
    pub up: u64,
    /// The sum of the decrements.
    pub down: u64,
    /// Totals and baselines. Of few entries, and never a bottom: none is left empty.
    pub more: Option<Box<More<A>>>,
}

/// An entry where it stands, in a state or a delta.
///
/// ```
/// use crdt::named::{Counters, Entry};
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "views", 5)?;
/// let entry: Entry<String> = counters.entry("n0", 0).unwrap().to_entry();
/// assert_eq!(entry.up, 5);
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[derive(Debug)]
pub struct EntryRef<'a, A> {
    /// The sum of the increments.
    pub up: u64,
    /// The sum of the decrements.
    pub down: u64,
    /// Totals and baselines. Of few entries.
    pub more: Option<&'a More<A>>,
}

impl<A> Entry<A> {
    /// The counts, with increments or decrements raised by `delta`.
    ///
    /// ```
    /// let mut entry = crdt::named::Entry::<String>::default();
    /// entry.add(i64::MIN)?;
    /// assert_eq!(entry.down, 1 << 63);
    /// # Ok::<(), crdt::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the increments or the decrements would pass `u64::MAX`; nothing is changed.
    pub fn add(&mut self, delta: i64) -> Result<(), Overflow> {
        (self.up, self.down) = plus((self.up, self.down), delta)?;
        Ok(())
    }

    /// The entry where it stands.
    ///
    /// ```
    /// assert_eq!(crdt::named::Entry::<String>::default().borrowed().up, 0);
    /// ```
    pub fn borrowed(&self) -> EntryRef<'_, A> {
        EntryRef { up: self.up, down: self.down, more: self.more.as_deref() }
    }

    /// The totals and baselines, to raise them. Don't leave them empty.
    fn more_mut(&mut self) -> &mut More<A> {
        self.more.get_or_insert_default()
    }
}

impl<A: Ord + Clone> Entry<A> {
    /// Takes in the total that `source` reports. Returns whether it is larger than the one before: a smaller one changes
    /// nothing.
    ///
    /// ```
    /// let mut entry = crdt::named::Entry::<String>::default();
    /// assert!(entry.report("sensor-7", 41)?);
    /// assert!(!entry.report("sensor-7", 40)?);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError::Sources`] if the source is new here and the entry has [`MAX_SOURCES`]; nothing is changed.
    pub fn report(&mut self, source: impl ToActor<Arc<str>>, total: u64) -> Result<bool, ChangeError> {
        let source = source.to_actor();
        let totals = self.more.as_ref().map(|more| &more.totals);
        let known = totals.map_or(0, |totals| totals.get(&source));
        if total <= known {
            return Ok(false);
        }
        if known == 0 && totals.is_some_and(|totals| totals.len() >= MAX_SOURCES) {
            return Err(ChangeError::Sources);
        }
        Ok(self.more_mut().totals.raise(source, total))
    }

    /// Notes that a reset has seen `observed`, which the value leaves out from now on. Returns whether that is news.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry};
    ///
    /// let mut counters = Counters::<String>::new();
    /// counters.add("n0", "views", 5)?;
    /// let mut entry = Entry::default();
    /// assert!(entry.reset(&counters.observed("views")));
    /// assert!(!entry.reset(&counters.observed("views")));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn reset(&mut self, observed: &Baseline<A>) -> bool {
        !observed.is_bottom() && self.more_mut().baseline.merge(observed)
    }
}

impl<A> EntryRef<'_, A> {
    /// The entry on its own.
    ///
    /// ```
    /// let entry = crdt::named::Entry::<String>::default();
    /// assert_eq!(entry.borrowed().to_entry(), entry);
    /// ```
    pub fn to_entry(self) -> Entry<A>
    where
        A: Clone,
    {
        Entry { up: self.up, down: self.down, more: self.more.map(|more| Box::new(more.clone())) }
    }
}

impl<A> Clone for EntryRef<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for EntryRef<'_, A> {}

impl<A: PartialEq> PartialEq for EntryRef<'_, A> {
    fn eq(&self, other: &Self) -> bool {
        (self.up, self.down, self.more) == (other.up, other.down, other.more)
    }
}

impl<A> Default for Entry<A> {
    fn default() -> Self {
        Self { up: 0, down: 0, more: None }
    }
}

/// By maximum.
impl<A: Ord + Clone> Merge for Entry<A> {
    fn merge(&mut self, other: &Self) -> bool {
        let counts = (self.up.max(other.up), self.down.max(other.down));
        let changed = counts != (self.up, self.down);
        (self.up, self.down) = counts;
        let news = other.more.as_deref().filter(|more| !more.is_bottom());
        news.is_some_and(|more| self.more_mut().merge(more)) | changed
    }
}

/// Increments and decrements, and `delta`.
#[inline]
pub(super) fn plus((up, down): (u64, u64), delta: i64) -> Result<(u64, u64), Overflow> {
    let n = delta.unsigned_abs();
    let (up, down) =
        if delta < 0 { (Some(up), down.checked_add(n)) } else { (up.checked_add(n), Some(down)) };
    up.zip(down).ok_or(Overflow)
}
