use super::{DeltaError, Entry, EntryRef, More};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What one actor changed from one number to another: each slot that has changed, with all that it has now.
///
/// It covers (`from`, `upto`]. A receiver that has covered `from` has covered `upto` once it has applied it. Each item is a slot
/// with its number, its entry and, if it was created above `from`, the name of its counter.
///
/// A state makes it by [`row_since`](super::Counters::row_since). A program that keeps changes beside the state makes it itself:
///
/// ```
/// use crdt::named::{Counters, Entry, RowDelta};
///
/// let mut delta = RowDelta::new("n0".to_string(), 0, 1);
/// delta.push(0, 1, Some("views"), Entry { up: 5, ..Entry::default() });
/// let mut counters = Counters::new();
/// assert!(counters.apply(&delta)?);
/// assert_eq!(counters.value("views"), 5);
/// # Ok::<(), crdt::named::DeltaError>(())
/// ```
///
/// An item takes 56 bytes and its name.
#[derive(Clone)]
pub struct RowDelta<A> {
    pub(super) actor: A,
    pub(super) from: u64,
    pub(super) upto: u64,
    /// Ascending by number and slot, none twice.
    pub(super) items: Vec<Item<A>>,
    /// The names of the items, in any order.
    pub(super) text: String,
}

#[derive(Clone)]
pub(super) struct Item<A> {
    pub(super) number: u64,
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) more: Option<Box<More<A>>>,
    /// Where the name begins in the text.
    name_at: usize,
    /// [`NAMELESS`] if there is none.
    name_len: u32,
    pub(super) slot: u32,
}

const NAMELESS: u32 = u32::MAX;

/// One item of a [`RowDelta`].
///
/// ```
/// use crdt::named::Counters;
///
/// let mut counters = Counters::<String>::new();
/// counters.add("n0", "views", 5)?;
/// let delta = counters.row_since("n0", 0).unwrap();
/// let item = delta.items().next().unwrap();
/// assert_eq!((item.slot, item.number, item.name, item.entry.up), (0, 1, Some("views"), 5));
/// # Ok::<(), crdt::named::ChangeError>(())
/// ```
#[derive(Debug)]
pub struct ItemRef<'a, A> {
    /// Which of the actor's slots.
    pub slot: u32,
    /// The number at which the actor last changed it.
    pub number: u64,
    /// The name of the counter, if the receiver may not know it.
    pub name: Option<&'a str>,
    /// What the actor has counted.
    pub entry: EntryRef<'a, A>,
}

impl<A> RowDelta<A> {
    /// A delta that covers (`from`, `upto`] of `actor`, without items yet.
    ///
    /// ```
    /// let delta = crdt::named::RowDelta::new(7_u64, 4, 9);
    /// assert_eq!((delta.actor(), delta.from(), delta.upto(), delta.len()), (&7, 4, 9, 0));
    /// ```
    pub const fn new(actor: A, from: u64, upto: u64) -> Self {
        Self { actor, from, upto, items: Vec::new(), text: String::new() }
    }

    /// Whose row it is.
    pub const fn actor(&self) -> &A {
        &self.actor
    }

    /// The number above which it covers all changes.
    pub const fn from(&self) -> u64 {
        self.from
    }

    /// The number up to which it covers all changes: the version of the row it was made from.
    pub const fn upto(&self) -> u64 {
        self.upto
    }

    /// How many items it has.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no items. It may still cover numbers, of changes that came to nothing.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an item. Give each slot once, and a name to each that was created above [`from`](Self::from): the first slot of an
    /// actor is 0, and each new one is one more than the last.
    ///
    /// In the order of numbers, and of slots within a number, it costs nothing more. Other items are put in their place, which
    /// moves those behind.
    ///
    /// ```
    /// use crdt::named::{Entry, RowDelta};
    ///
    /// let mut delta = RowDelta::new("n0".to_string(), 4, 6);
    /// delta.push(3, 6, Some("views"), Entry::default());
    /// delta.push(0, 5, None, Entry::default());
    /// assert!(delta.items().map(|item| item.slot).eq([0, 3]));
    /// ```
    pub fn push(&mut self, slot: u32, number: u64, name: Option<&str>, entry: Entry<A>) {
        let Entry { up, down, more } = entry;
        let name_at = self.text.len();
        let name_len = name.and_then(|name| u32::try_from(name.len()).ok()).unwrap_or(NAMELESS);
        if name_len != NAMELESS {
            self.text.push_str(name.unwrap_or_default());
        }
        let item = Item { number, up, down, more, name_at, name_len, slot };
        let last = self.items.last().map(Item::place);
        if last.is_none_or(|last| last < item.place()) {
            self.items.push(item);
        } else {
            let at = self.items.partition_point(|other| other.place() < item.place());
            self.items.insert(at, item);
        }
    }

    /// The items, by ascending number, and by slot within a number.
    ///
    /// ```
    /// let delta = crdt::named::RowDelta::new(7_u64, 4, 9);
    /// assert_eq!(delta.items().count(), 0);
    /// ```
    pub fn items(&self) -> impl ExactSizeIterator<Item = ItemRef<'_, A>> + Clone {
        self.items.iter().map(|item| self.item(item))
    }

    pub(super) fn item<'a>(&'a self, item: &'a Item<A>) -> ItemRef<'a, A> {
        let entry = EntryRef { up: item.up, down: item.down, more: item.more.as_deref() };
        ItemRef { slot: item.slot, number: item.number, name: self.name(item), entry }
    }

    fn name(&self, item: &Item<A>) -> Option<&str> {
        let len = usize::try_from(item.name_len).ok().filter(|_| item.name_len != NAMELESS)?;
        self.text.get(item.name_at..item.name_at.checked_add(len)?)
    }

    /// Whether the numbers are what the delta covers.
    pub(super) fn check_numbers(&self) -> Result<(), DeltaError> {
        if self.from > self.upto {
            return Err(DeltaError::Number(self.upto));
        }
        let ends = [self.items.first(), self.items.last()].into_iter().flatten();
        match ends.map(|item| item.number).find(|&number| number <= self.from || number > self.upto) {
            Some(number) => Err(DeltaError::Number(number)),
            None => Ok(()),
        }
    }
}

impl<A> Item<A> {
    /// Its place among the items.
    pub(super) fn place(&self) -> (u64, u32) {
        (self.number, self.slot)
    }

    pub(super) const fn is_named(&self) -> bool {
        self.name_len != NAMELESS
    }

    /// Takes the name of another item of the same delta.
    pub(super) const fn take_name(&mut self, other: &Self) {
        (self.name_at, self.name_len) = (other.name_at, other.name_len);
    }

    /// The item with its name so many bytes further on.
    pub(super) fn moved(self, bytes: usize) -> Self {
        Self { name_at: self.name_at.saturating_add(bytes), ..self }
    }
}

/// By content.
impl<A: PartialEq> PartialEq for RowDelta<A> {
    fn eq(&self, other: &Self) -> bool {
        (&self.actor, self.from, self.upto) == (&other.actor, other.from, other.upto)
            && self.items().eq(other.items())
    }
}

impl<A: Eq> Eq for RowDelta<A> {}

impl<A: fmt::Debug> fmt::Debug for RowDelta<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, from, upto, .. } = self;
        write!(f, "{actor:?} ({from}, {upto}] ")?;
        f.debug_list().entries(self.items()).finish()
    }
}

impl<A> Clone for ItemRef<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for ItemRef<'_, A> {}

impl<A: PartialEq> PartialEq for ItemRef<'_, A> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.number, self.name, self.entry) == (other.slot, other.number, other.name, other.entry)
    }
}
