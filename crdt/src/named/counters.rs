use super::EntryRef;
use super::names::Names;
use super::row::Row;
use crate::table::search;
use crate::{ToActor, VersionVector};
use alloc::vec::Vec;
use core::fmt;

/// Many counters by name, that many actors change on their own and merge without losing or doubling anything.
///
/// What an actor has counted is its *row*: a *slot* for each counter that it ever changed, with all that it counted there. Each
/// change of a row has a *number*, which only grows. The *version* of a row is the number up to which it is covered: a row is
/// exactly as its actor had it at that number. So rows of one actor, anywhere, are one chain. See [the module](super).
///
/// ```
/// use crdt::named::Counters;
///
/// let mut here = Counters::<String>::new();
/// let mut there = Counters::<String>::new();
/// here.add("n0", "views", 3)?;
/// there.add("n1", "views", 4)?;
/// for delta in there.delta_since(here.versions()) {
///     here.apply(&delta)?;
/// }
/// assert_eq!(here.value("views"), 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Counters<A> {
    /// The names of all slots, and no others.
    pub(super) names: Names,
    /// By actor. An actor without slots has none.
    pub(super) rows: Vec<Row<A>>,
    /// Of all actors that have covered a number.
    pub(super) versions: VersionVector<A>,
}

impl<A> Counters<A> {
    /// No counters.
    ///
    /// ```
    /// assert!(crdt::named::Counters::<u64>::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self { names: Names::default(), rows: Vec::new(), versions: VersionVector::new() }
    }

    /// Whether nothing was ever counted or heard.
    ///
    /// ```
    /// assert!(crdt::named::Counters::<u64>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.versions.counter().is_empty()
    }

    /// How many counters there are.
    ///
    /// ```
    /// assert_eq!(crdt::named::Counters::<u64>::new().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The names of the counters, in the order in which they came here.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// counters.add("n0", "likes", 1)?;
    /// assert!(counters.names().eq(["views", "likes"]));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter()
    }

    /// Whether there is such a counter. Costs a look-up.
    ///
    /// ```
    /// assert!(!crdt::named::Counters::<u64>::new().contains("views"));
    /// ```
    pub fn contains(&self, name: &str) -> bool {
        self.names.find(name).is_some()
    }

    /// The names from the one at `position` in the order in which they came here. Costs nothing for those before.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// counters.add("n0", "likes", 3)?;
    /// assert_eq!(counters.names_from(1).collect::<Vec<_>>(), ["likes"]);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn names_from(&self, position: usize) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter_from(position)
    }

    /// For each actor the number up to which its row is covered here.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert!(counters.versions().contains("n0", 1));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub const fn versions(&self) -> &VersionVector<A> {
        &self.versions
    }

    pub(super) fn row(&self, at: usize) -> Option<&Row<A>> {
        self.rows.get(at)
    }
}

impl<A: Ord + Clone> Counters<A> {
    /// Whether a reset has seen more of an actor's row than is here. So that actor has counted more, whatever its version here is:
    /// changes that it counts on from here could be below the baseline, and be subtracted although no reset has seen them.
    ///
    /// It looks at no counters but those that have baselines or totals.
    ///
    /// ```
    /// use crdt::named::{Counters, Entry, RowDelta};
    ///
    /// let mut all = Counters::<String>::new();
    /// all.add("n0", "views", 5)?;
    /// let mut reset = Entry::default();
    /// reset.reset(&all.observed("views"));
    /// let mut delta = RowDelta::new("n1".to_string(), 0, 1);
    /// delta.push(0, 1, Some("views"), reset);
    ///
    /// let mut here = Counters::new(); // it has heard of the reset, and not of what that has seen
    /// here.apply(&delta)?;
    /// assert!(here.lags_behind_resets("n0"));
    /// here.merge(&all);
    /// assert!(!here.lags_behind_resets("n0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lags_behind_resets(&self, actor: impl ToActor<A>) -> bool {
        let own = self.row_of(&actor);
        let actor = actor.to_actor();
        self.rows.iter().any(|row| {
            row.all_more().any(|(slot, more)| {
                let (seen_up, seen_down) = more.baseline.counts.counts(&actor);
                if seen_up == 0 && seen_down == 0 {
                    return false;
                }
                let own = own.and_then(|own| Some(own.counts(own.find(row.name(slot)?)?)));
                let (up, down) = own.unwrap_or_default();
                seen_up > up || seen_down > down
            })
        })
    }

    /// The number up to which the row of `actor` is covered here. 0 if nothing is known of it. Costs a search.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!((counters.version("n0"), counters.version("n1")), (1, 0));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    pub fn version(&self, actor: impl ToActor<A>) -> u64 {
        self.versions.counter().get(actor)
    }

    /// How many counters `actor` has changed: the next one will have this slot.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!(counters.slots("n0"), 1);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn slots(&self, actor: impl ToActor<A>) -> u32 {
        self.row_of(&actor).map_or(0, Row::len)
    }

    /// The slot of a counter in the row of `actor`, if it ever changed it.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!((counters.slot("n0", "views"), counters.slot("n0", "likes")), (Some(0), None));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn slot(&self, actor: impl ToActor<A>, name: &str) -> Option<u32> {
        self.row_of(&actor)?.find(self.names.find(name)?)
    }

    /// The name of a slot's counter.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!(counters.name_of("n0", 0), Some("views"));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn name_of(&self, actor: impl ToActor<A>, slot: u32) -> Option<&str> {
        self.row_of(&actor)?.name(slot).map(|name| self.names.text(name))
    }

    /// What `actor` has counted in a slot.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!(counters.entry("n0", 0).unwrap().up, 3);
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn entry(&self, actor: impl ToActor<A>, slot: u32) -> Option<EntryRef<'_, A>> {
        let row = self.row_of(&actor)?;
        row.name(slot).map(|_| row.entry(slot))
    }

    /// The number of the last change of a slot.
    ///
    /// ```
    /// let mut counters = crdt::named::Counters::<String>::new();
    /// counters.add("n0", "views", 3)?;
    /// counters.add("n0", "views", 3)?;
    /// assert_eq!(counters.number("n0", 0), Some(2));
    /// # Ok::<(), crdt::named::ChangeError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "names are given as they are to `add`")]
    pub fn number(&self, actor: impl ToActor<A>, slot: u32) -> Option<u64> {
        let row = self.row_of(&actor)?;
        row.name(slot).map(|_| row.number(slot))
    }

    /// Where the row of an actor is, or belongs.
    #[inline]
    pub(super) fn place(&self, actor: &impl ToActor<A>) -> Result<usize, usize> {
        search(&self.rows, |row| actor.cmp_actor(&row.actor).reverse())
    }

    pub(super) fn row_of(&self, actor: &impl ToActor<A>) -> Option<&Row<A>> {
        self.place(actor).ok().and_then(|at| self.row(at))
    }
}

impl<A> Default for Counters<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// By content: the versions, and of each row slots, names, numbers and entries.
impl<A: Ord + Clone> PartialEq for Counters<A> {
    fn eq(&self, other: &Self) -> bool {
        let same_slot = |ours: &Row<A>, theirs: &Row<A>, slot: u32| {
            let our_name = ours.name(slot).map(|name| self.names.text(name));
            let their_name = theirs.name(slot).map(|name| other.names.text(name));
            our_name == their_name
                && ours.number(slot) == theirs.number(slot)
                && ours.entry(slot) == theirs.entry(slot)
        };
        let same_row = |(ours, theirs): (&Row<A>, &Row<A>)| {
            ours.actor == theirs.actor
                && ours.len() == theirs.len()
                && (0..ours.len()).all(|slot| same_slot(ours, theirs, slot))
        };
        self.versions == other.versions
            && self.rows.len() == other.rows.len()
            && self.rows.iter().zip(&other.rows).all(same_row)
    }
}

/// By actor its version, and by name what it counted.
impl<A: fmt::Debug> fmt::Debug for Counters<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = f.debug_map();
        for row in &self.rows {
            let slot = |slot| {
                (row.name(slot).map_or("", |name| self.names.text(name)), row.number(slot), row.entry(slot))
            };
            let slots: Vec<_> = (0..row.len()).map(slot).collect();
            rows.entry(&row.actor, &slots);
        }
        rows.finish()
    }
}
