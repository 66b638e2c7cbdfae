//! The standard containers of lattices.

use crate::{Delta, Merge};
use alloc::collections::{BTreeMap, BTreeSet};

/// `None` is the bottom, below every `Some`; two `Some` merge what is in them.
///
/// ```
/// use crdt::{GCounter, Merge};
///
/// let mut state: Option<GCounter<u64>> = None;
/// assert!(state.merge(&Some(GCounter::new())), "an empty counter is more than none");
/// ```
impl<T: Merge> Merge for Option<T> {
    fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (_, None) => false,
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (ours @ None, theirs @ Some(_)) => {
                ours.clone_from(theirs);
                true
            }
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, None) => true,
            (Some(ours), Some(theirs)) => ours.covers(theirs),
            (None, Some(_)) => false,
        }
    }
}

impl<T: Delta> Delta for Option<T> {
    fn delta_since(&self, other: &Self) -> Self {
        match (self, other) {
            (None, _) => None,
            (ours @ Some(_), None) => ours.clone(),
            (Some(ours), Some(theirs)) => (!theirs.covers(ours)).then(|| ours.delta_since(theirs)),
        }
    }
}

macro_rules! tuples {
    ($($T:ident $at:tt),+) => {
        /// Half by half. `<=` of a tuple is another order than [`covers`](Merge::covers).
        impl<$($T: Merge),+> Merge for ($($T,)+) {
            fn merge(&mut self, other: &Self) -> bool {
                // Not `||`: each half has to be merged.
                false $(| self.$at.merge(&other.$at))+
            }

            fn covers(&self, other: &Self) -> bool {
                true $(&& self.$at.covers(&other.$at))+
            }
        }

        impl<$($T: Delta),+> Delta for ($($T,)+) {
            fn delta_since(&self, other: &Self) -> Self {
                ($(self.$at.delta_since(&other.$at),)+)
            }
        }
    };
}

tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);

macro_rules! set {
    ($Set:ty, $($generics:tt)+) => {
        /// By union: what is in any is in all. Nothing can be removed: another replica would bring it back.
        impl<$($generics)+> Merge for $Set {
            fn merge(&mut self, other: &Self) -> bool {
                let before = self.len();
                for item in other {
                    if !self.contains(item) {
                        self.insert(item.clone());
                    }
                }
                self.len() > before
            }

            fn covers(&self, other: &Self) -> bool {
                other.is_subset(self)
            }
        }

        impl<$($generics)+> Delta for $Set {
            fn delta_since(&self, other: &Self) -> Self {
                self.iter().filter(|item| !other.contains(*item)).cloned().collect()
            }
        }
    };
}

set!(BTreeSet<T>, T: Ord + Clone);

macro_rules! map {
    ($Map:ty, $V:ident, $($generics:tt)+) => {
        /// Key by key. A key is news of its own: `{k: bottom}` is above `{}`, so that `==` is equality of the lattice
        /// too. Who only asks should therefore use `get` and not `entry(..).or_default()`, which makes a key that
        /// every replica will have. No key can be removed: another replica would bring it back.
        ///
        /// A merge costs a search per key of `other`, and a merge of the two values.
        impl<$V: Merge, $($generics)+> Merge for $Map {
            fn merge(&mut self, other: &Self) -> bool {
                let mut changed = false;
                for (key, theirs) in other {
                    if let Some(ours) = self.get_mut(key) {
                        changed |= ours.merge(theirs);
                    } else {
                        self.insert(key.clone(), theirs.clone());
                        changed = true;
                    }
                }
                changed
            }

            fn covers(&self, other: &Self) -> bool {
                other.iter().all(|(key, theirs)| self.get(key).is_some_and(|ours| ours.covers(theirs)))
            }
        }

        /// The entries with news, and of each only the news.
        impl<$V: Delta, $($generics)+> Delta for $Map {
            fn delta_since(&self, other: &Self) -> Self {
                let news = self.iter().filter_map(|(key, ours)| match other.get(key) {
                    None => Some((key.clone(), ours.clone())),
                    Some(theirs) if theirs.covers(ours) => None,
                    Some(theirs) => Some((key.clone(), ours.delta_since(theirs))),
                });
                news.collect()
            }
        }
    };
}

map!(BTreeMap<K, V>, V, K: Ord + Clone);

#[cfg(feature = "std")]
#[expect(clippy::disallowed_types, reason = "they are the user's; no result depends on their order")]
mod hashed {
    use crate::{Delta, Merge};
    use core::hash::{BuildHasher, Hash};
    use std::collections::{HashMap, HashSet};

    set!(HashSet<T, S>, T: Eq + Hash + Clone, S: BuildHasher + Default + Clone);
    map!(HashMap<K, V, S>, V, K: Eq + Hash + Clone, S: BuildHasher + Default + Clone);
}
