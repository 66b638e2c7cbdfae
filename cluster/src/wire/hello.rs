//! A hello: which versions a node reads, and whether it asks the others for theirs.
//!
//! Three bytes: the oldest version, the newest, and 1 if the node asks. Whoever reads a hello ignores what follows, so later releases may
//! say more.

use std::ops::RangeInclusive;

use super::{OLDEST, VERSION};

/// What a node says when it starts, and now and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The versions that the node reads.
    pub versions: RangeInclusive<u8>,
    /// Whether the others are to say hello too.
    pub asks: bool,
}

impl Hello {
    /// The hello of this release.
    pub const fn of_this_release(asks: bool) -> Self {
        Self { versions: OLDEST..=VERSION, asks }
    }

    /// The hello as bytes.
    ///
    /// ```
    /// use cluster::wire::hello::Hello;
    ///
    /// let hello = Hello::of_this_release(true);
    /// assert_eq!(Hello::from_bytes(&hello.to_bytes()), Some(hello));
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        vec![*self.versions.start(), *self.versions.end(), u8::from(self.asks)]
    }

    /// Reads a hello of this or a later release. `None`: it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [oldest, newest, asks, ..] if oldest <= newest && *asks <= 1 => {
                Some(Self { versions: *oldest..=*newest, asks: *asks == 1 })
            }
            _ => None,
        }
    }

    /// The version to write: the newest that this node and all members read. A member that has said no hello yet may be as old as this
    /// node can talk to. One that has nothing in common with this node does not count: it can't be talked to.
    ///
    /// ```
    /// use cluster::wire::hello::Hello;
    ///
    /// let here = Hello { versions: 1..=3, asks: false };
    /// let (older, newer) = (Hello { versions: 1..=2, asks: false }, Hello { versions: 2..=4, asks: false });
    /// assert_eq!(here.version_for([Some(&older), Some(&newer)]), 2);
    /// assert_eq!(here.version_for([Some(&newer), None]), 1);
    /// ```
    pub fn version_for<'a>(&self, members: impl IntoIterator<Item = Option<&'a Self>>) -> u8 {
        let oldest = *self.versions.start();
        let common = |member: Option<&Self>| match member {
            Some(hello) => self.common(hello),
            None => Some(oldest),
        };
        members.into_iter().filter_map(common).min().unwrap_or(*self.versions.end())
    }

    /// The newest version that both read. `None`: they can't talk.
    ///
    /// ```
    /// use cluster::wire::hello::Hello;
    ///
    /// let here = Hello { versions: 1..=3, asks: false };
    /// assert_eq!(here.common(&Hello { versions: 2..=5, asks: false }), Some(3));
    /// assert_eq!(here.common(&Hello { versions: 4..=5, asks: false }), None);
    /// ```
    pub fn common(&self, other: &Self) -> Option<u8> {
        let newest = *self.versions.end().min(other.versions.end());
        let oldest = *self.versions.start().max(other.versions.start());
        (oldest <= newest).then_some(newest)
    }
}
