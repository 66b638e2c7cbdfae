use crate::ToActor;

/// An actor that remembers where its count stands, so that a hot [`add_at`](crate::GCounter::add_at) looks nothing
/// up.
///
/// It is a hint, never a claim: each use checks that the id is still there, at the cost of one comparison, and
/// searches anew if it is not. A slot therefore works with any counter at any time.
///
/// ```
/// use crdt::{GCounter, Slot};
///
/// let mut counter = GCounter::<String>::new();
/// let mut own = Slot::new("n1");
/// counter.add_at(&mut own, 1)?;
/// counter.add("n0", 1)?; // moves the slot's entry
/// assert_eq!(counter.add_at(&mut own, 1)?, 2);
/// # Ok::<(), crdt::Overflow>(())
/// ```
#[derive(Clone, Debug)]
pub struct Slot<A> {
    pub(crate) actor: A,
    pub(crate) index: usize,
}

impl<A> Slot<A> {
    /// A slot for `actor`.
    ///
    /// ```
    /// let slot: crdt::Slot<String> = crdt::Slot::new("n0");
    /// assert_eq!(slot.actor(), "n0");
    /// ```
    pub fn new(actor: impl ToActor<A>) -> Self {
        Self { actor: actor.to_actor(), index: 0 }
    }

    /// Whose slot it is.
    ///
    /// ```
    /// assert_eq!(crdt::Slot::<u64>::new(7).actor(), &7);
    /// ```
    pub const fn actor(&self) -> &A {
        &self.actor
    }
}
