//! Values that are compared by what their `Debug` text says.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A number that stands for a value: two values have the same by a chance of 2⁻⁶⁴.
pub(crate) fn fingerprint(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A shared value that never changes. It is compared by a fingerprint of its `Debug` text, which shows every field.
pub(crate) struct Printed<T>(Arc<(u64, T)>);

impl<T: fmt::Debug> Printed<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new((fingerprint(&format!("{value:?}")), value)))
    }
}

impl<T> Printed<T> {
    pub(crate) fn fingerprint(&self) -> u64 {
        self.0.0
    }
}

impl<T> Clone for Printed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Printed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T> PartialEq for Printed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl<T> Eq for Printed<T> {}

impl<T> PartialOrd for Printed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Printed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.fingerprint().cmp(&other.fingerprint())
    }
}

impl<T> Hash for Printed<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.fingerprint().hash(hasher);
    }
}

impl<T: fmt::Debug> fmt::Debug for Printed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
