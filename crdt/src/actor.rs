use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;

/// Something that names an actor: the id itself, a reference to it, or for text ids a `&str`.
///
/// It lets `add` look an id up without making one: an id is made (by move, by clone or from the text) only if it
/// is new to the counter.
///
/// ```
/// use crdt::GCounter;
///
/// let mut counter = GCounter::<String>::new();
/// let id = String::from("n0");
/// counter.add("n0", 1)?;
/// counter.add(&id, 1)?;
/// counter.add(id, 1)?;
/// assert_eq!(counter.get("n0"), 3);
/// # Ok::<(), crdt::Overflow>(())
/// ```
///
/// An id type of your own can be passed owned or by reference as it is; implement this trait to have it named in
/// other ways. The order must be that of `A`:
///
/// ```
/// # use core::cmp::Ordering;
/// #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
/// struct Replica(String);
///
/// impl crdt::ToActor<Replica> for &str {
///     fn cmp_actor(&self, actor: &Replica) -> Ordering {
///         (*self).cmp(&actor.0)
///     }
///
///     fn to_actor(self) -> Replica {
///         Replica(self.into())
///     }
/// }
///
/// let mut counter = crdt::GCounter::<Replica>::new();
/// counter.add("n0", 1)?;
/// # Ok::<(), crdt::Overflow>(())
/// ```
pub trait ToActor<A> {
    /// How this name compares to `actor`.
    ///
    /// ```
    /// # use crdt::ToActor;
    /// assert!("n0".cmp_actor(&String::from("n1")).is_lt());
    /// ```
    fn cmp_actor(&self, actor: &A) -> Ordering;

    /// The id itself.
    ///
    /// ```
    /// # use crdt::ToActor;
    /// let id: String = "n0".to_actor();
    /// assert_eq!(id, "n0");
    /// ```
    fn to_actor(self) -> A;
}

impl<A: Ord> ToActor<A> for A {
    fn cmp_actor(&self, actor: &A) -> Ordering {
        self.cmp(actor)
    }

    fn to_actor(self) -> A {
        self
    }
}

impl<A: Ord + Clone> ToActor<A> for &A {
    fn cmp_actor(&self, actor: &A) -> Ordering {
        (*self).cmp(actor)
    }

    fn to_actor(self) -> A {
        self.clone()
    }
}

impl ToActor<String> for &str {
    fn cmp_actor(&self, actor: &String) -> Ordering {
        (*self).cmp(actor.as_str())
    }

    fn to_actor(self) -> String {
        self.into()
    }
}

impl ToActor<Arc<str>> for &str {
    fn cmp_actor(&self, actor: &Arc<str>) -> Ordering {
        (*self).cmp(&**actor)
    }

    fn to_actor(self) -> Arc<str> {
        self.into()
    }
}
