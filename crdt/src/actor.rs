use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Something that names an actor: the id itself, a reference to it, or for text ids any text.
///
/// Text ids are `String`, `Arc<str>`, `Rc<str>` and `Box<str>`; they are named by each of these, by `Cow<str>`, by
/// references to them, and by `&str` and `&&str`. Ids of `Vec<u8>` are also named by `&[u8]`.
///
/// `add`, `raise`, `get` and all else that takes one actor look it up by such a name, without making an id. An id is made
/// (by move, by clone or from the text) only when it becomes a new entry.
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
///
/// What names no id does not compile, and the compiler says what would:
///
/// ```compile_fail,E0277
/// let mut counter = crdt::GCounter::<u64>::new();
/// counter.add("7", 1); // write `7` or `&7`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no actor of a counter whose ids are `{A}`",
    label = "no id of type `{A}`",
    note = "give the id itself, or a reference to it",
    note = "for ids of `String`, `Arc<str>`, `Rc<str>` or `Box<str>` any text will do; \
            other names: `impl crdt::ToActor<{A}>`"
)]
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

macro_rules! text {
    ($($Id:ty: $($Name:ty),+;)+) => {$($(
        impl ToActor<$Id> for $Name {
            #[inline]
            fn cmp_actor(&self, actor: &$Id) -> Ordering {
                let text: &str = self.as_ref();
                text.cmp(actor)
            }

            fn to_actor(self) -> $Id {
                let text: &str = self.as_ref();
                text.into()
            }
        }
    )+)+};
}

// Not among its names are the id itself and a reference to it, which every id has.
text! {
    String: &str, &&str, Cow<'_, str>, &Cow<'_, str>, Box<str>, &Box<str>, Rc<str>, &Rc<str>, Arc<str>, &Arc<str>;
    Box<str>: &str, &&str, Cow<'_, str>, &Cow<'_, str>, String, &String, Rc<str>, &Rc<str>, Arc<str>, &Arc<str>;
    Rc<str>: &str, &&str, Cow<'_, str>, &Cow<'_, str>, String, &String, Box<str>, &Box<str>, Arc<str>, &Arc<str>;
    Arc<str>: &str, &&str, Cow<'_, str>, &Cow<'_, str>, String, &String, Box<str>, &Box<str>, Rc<str>, &Rc<str>;
}

impl ToActor<Vec<u8>> for &[u8] {
    fn cmp_actor(&self, actor: &Vec<u8>) -> Ordering {
        (*self).cmp(actor)
    }

    fn to_actor(self) -> Vec<u8> {
        self.into()
    }
}
