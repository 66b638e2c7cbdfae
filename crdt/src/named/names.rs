use super::errors::Full;
use super::index::Index;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

/// Names are hashed with keys that differ from process to process. So clients can't choose names that collide.
#[cfg(feature = "std")]
type Keys = std::hash::RandomState;

/// There is no source of random keys without the standard library. Whoever names counters there must be trusted.
#[cfg(not(feature = "std"))]
#[expect(deprecated, reason = "of the hashers in `core` it is the only one")]
type Keys = core::hash::BuildHasherDefault<core::hash::SipHasher>;

/// Each name once. It is known by an id: 0, 1, 2 and so on, in the order in which the names came.
///
/// A name takes its text, 4 bytes for its end and 11 to 21 bytes in the index.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// The names, one behind the other.
    text: String,
    /// Where each name ends in `text`. It begins where the one before ends.
    ends: Vec<u32>,
    /// The ids, by the hash of the name.
    index: Index,
    keys: Keys,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self, id: u32) -> &str {
        self.text.get(range(&self.ends, id)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter_from(0)
    }

    pub(super) fn iter_from(&self, position: usize) -> impl ExactSizeIterator<Item = &str> {
        (position.min(self.ends.len())..self.ends.len())
            .map(|id| u32::try_from(id).map_or("", |id| self.text(id)))
    }

    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let text = self.text.as_bytes();
        let is_sought = |id: u32| text.get(range(&self.ends, id)) == Some(name.as_bytes());
        self.index.find(hash(&self.keys, name.as_bytes()), is_sought)
    }

    /// Whether so many more names, with so many bytes together, have room.
    pub(super) fn room_for(&self, names: usize, bytes: usize) -> Result<(), Full> {
        let is_counted = u32::try_from(self.ends.len().saturating_add(names)).is_ok();
        let is_addressed = u32::try_from(self.text.len().saturating_add(bytes)).is_ok();
        if is_counted && is_addressed { Ok(()) } else { Err(Full) }
    }

    /// The id of a name, which is a new one if the name is.
    pub(super) fn intern(&mut self, name: &str) -> Result<u32, Full> {
        if let Some(id) = self.find(name) {
            return Ok(id);
        }
        self.room_for(1, name.len())?;
        let id = u32::try_from(self.ends.len()).map_err(|_| Full)?;
        let end = u32::try_from(self.text.len() + name.len()).map_err(|_| Full)?;
        self.text.push_str(name);
        self.ends.push(end);
        self.index.insert(hash(&self.keys, name.as_bytes()), id);
        Ok(id)
    }
}

#[inline]
fn range(ends: &[u32], id: u32) -> core::ops::Range<usize> {
    let at = id as usize;
    let end = |at: usize| ends.get(at).map_or(0, |&end| end as usize);
    at.checked_sub(1).map_or(0, end)..end(at)
}

#[inline]
fn hash(keys: &Keys, name: &[u8]) -> u32 {
    let mut hasher = keys.build_hasher();
    hasher.write(name);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
