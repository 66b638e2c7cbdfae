//! The ids that came lately: few, beside a large table, so that a new id does not move all ids behind it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// A full chunk is split: an insert moves at most so many entries, and copies so many where clones share the chunk.
const CHUNK: usize = 64;

/// For how many entries a chunk grows at a time.
const ROOM: usize = 8;

/// An id that is not in the table, with its counts, of which one at least is not zero.
#[derive(Clone)]
pub(crate) struct Recent<A, const W: usize> {
    /// The index of the first id in the table that is larger. It orders ids mostly without a look at them, and says
    /// where the id goes when the tail is woven into the table.
    pub(crate) gap: usize,
    pub(crate) id: A,
    pub(crate) counts: [u64; W],
}

/// Recent ids in strictly ascending order, in chunks that are never empty and that clones share until they change.
pub(crate) struct Tail<A, const W: usize> {
    chunks: Vec<Chunk<A, W>>,
    len: usize,
}

struct Chunk<A, const W: usize> {
    /// The gap of the last entry, so that a search looks into one chunk alone, mostly.
    last: usize,
    entries: Arc<Vec<Recent<A, W>>>,
}

/// Where an id that is in neither the table nor the tail belongs.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) gap: usize,
    chunk: usize,
    at: usize,
}

impl Spot {
    /// Its index in the tail.
    pub(crate) const fn index(self) -> usize {
        self.chunk * CHUNK + self.at
    }

    /// A spot in an empty tail.
    pub(crate) const fn in_table(gap: usize) -> Self {
        Self { gap, chunk: 0, at: 0 }
    }
}

impl<A, const W: usize> Tail<A, W> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry at an index that [`search`](Self::search) or [`Iter`] has given. Indices are not contiguous.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Recent<A, W>> {
        self.chunks.get(index / CHUNK)?.entries.get(index % CHUNK)
    }

    /// The index behind another one.
    pub(crate) fn behind(&self, index: usize) -> usize {
        let at = index % CHUNK + 1;
        let ends = self.chunks.get(index / CHUNK).is_none_or(|chunk| at >= chunk.entries.len());
        if ends { (index / CHUNK + 1) * CHUNK } else { index + 1 }
    }

    /// Whether the very same entries are at and around an index in both: those of a chunk that clones share.
    pub(crate) fn shares_chunk(&self, other: &Self, index: usize) -> bool {
        match (self.chunks.get(index / CHUNK), other.chunks.get(index / CHUNK)) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(&ours.entries, &theirs.entries),
            _ => false,
        }
    }

    /// The index (`Ok`) or the spot (`Err`) of an id that belongs at `gap`. `cmp` compares an id to the one sought.
    pub(crate) fn search(&self, gap: usize, cmp: impl Fn(&A) -> Ordering) -> Result<usize, Spot> {
        let cmp = |recent: &Recent<A, W>| recent.gap.cmp(&gap).then_with(|| cmp(&recent.id));
        let chunk = self.chunks.partition_point(|chunk| match chunk.last.cmp(&gap) {
            Ordering::Equal => chunk.entries.last().is_some_and(|last| cmp(last).is_lt()),
            unequal => unequal.is_lt(),
        });
        let Some(found) = self.chunks.get(chunk) else {
            // Behind all: at the end of the last chunk.
            let chunk = chunk.saturating_sub(1);
            return Err(Spot { gap, chunk, at: self.chunks.get(chunk).map_or(0, |last| last.entries.len()) });
        };
        match found.entries.binary_search_by(cmp) {
            Ok(at) => Ok(chunk * CHUNK + at),
            Err(at) => Err(Spot { gap, chunk, at }),
        }
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> Iter<'_, A, W> {
        Iter { tail: self, chunk: 0, at: 0 }
    }

    /// The counts of each id and gap, in order.
    pub(crate) fn by_gap(&self) -> impl Iterator<Item = ((usize, &A), [u64; W])> {
        self.iter().map(|(_, recent)| ((recent.gap, &recent.id), recent.counts))
    }

    /// A tail of entries that ascend.
    pub(crate) fn from_sorted(entries: impl IntoIterator<Item = Recent<A, W>>) -> Self {
        let mut tail = Self::new();
        entries.into_iter().for_each(|recent| tail.push(recent));
        tail
    }

    fn push(&mut self, recent: Recent<A, W>) {
        self.len += 1;
        if let Some(last) = self.chunks.last_mut()
            && let Some(entries) = Arc::get_mut(&mut last.entries).filter(|entries| entries.len() < CHUNK)
        {
            last.last = recent.gap;
            entries.push(recent);
            return;
        }
        let (last, mut entries) = (recent.gap, Vec::with_capacity(ROOM));
        entries.push(recent);
        self.chunks.push(Chunk { last, entries: Arc::new(entries) });
    }
}

impl<A: Clone, const W: usize> Tail<A, W> {
    /// The counts of the entry at `index`.
    pub(crate) fn counts_mut(&mut self, index: usize) -> Option<&mut [u64; W]> {
        let entries = Arc::make_mut(&mut self.chunks.get_mut(index / CHUNK)?.entries);
        Some(&mut entries.get_mut(index % CHUNK)?.counts)
    }

    /// Puts an id at the spot that a search for it has given. Returns its index.
    pub(crate) fn insert(&mut self, spot: Spot, id: A, counts: [u64; W]) -> usize {
        let Spot { gap, chunk, at } = spot;
        let recent = Recent { gap, id, counts };
        let Some(found) = self.chunks.get_mut(chunk) else {
            self.push(recent);
            return 0;
        };
        let entries = Arc::make_mut(&mut found.entries);
        self.len += 1;
        if entries.len() < CHUNK {
            if entries.len() == entries.capacity() {
                entries.reserve_exact(ROOM);
            }
            entries.insert(at, recent);
            found.last = found.last.max(gap);
            return spot.index();
        }
        // At the very end nothing is split off, so that ascending ids fill their chunks.
        let middle = if at == CHUNK { CHUNK } else { CHUNK / 2 };
        let mut upper = entries.split_off(middle);
        let in_upper = at >= middle;
        if in_upper {
            upper.insert(at - middle, recent);
        } else {
            entries.insert(at, recent);
        }
        let last_of = |entries: &[Recent<A, W>]| entries.last().map_or(gap, |last| last.gap);
        found.last = last_of(entries);
        self.chunks.insert(chunk + 1, Chunk { last: last_of(&upper), entries: Arc::new(upper) });
        if in_upper { spot.index() + CHUNK - middle } else { spot.index() }
    }

    /// Takes all entries out. If a clone panics, nothing is taken out.
    pub(crate) fn take(&mut self) -> Vec<Recent<A, W>> {
        let mut all = Vec::with_capacity(self.len);
        for chunk in &mut self.chunks {
            Arc::make_mut(&mut chunk.entries);
        }
        for chunk in &mut self.chunks {
            all.append(Arc::make_mut(&mut chunk.entries));
        }
        *self = Self::new();
        all
    }
}

impl<A, const W: usize> Clone for Chunk<A, W> {
    fn clone(&self) -> Self {
        Self { last: self.last, entries: self.entries.clone() }
    }
}

impl<A, const W: usize> Clone for Tail<A, W> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), len: self.len }
    }
}

impl<A: PartialEq, const W: usize> PartialEq for Tail<A, W> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Recent<A, W>, &Recent<A, W>)| a.counts == b.counts && a.id == b.id;
        self.len == other.len && self.iter().zip(other.iter()).all(|((_, a), (_, b))| same((a, b)))
    }
}

/// Entries of a tail with their indices, in order.
pub(crate) struct Iter<'a, A, const W: usize> {
    tail: &'a Tail<A, W>,
    chunk: usize,
    at: usize,
}

impl<'a, A, const W: usize> Iter<'a, A, W> {
    #[inline]
    pub(crate) fn peek(&self) -> Option<&'a Recent<A, W>> {
        self.tail.chunks.get(self.chunk)?.entries.get(self.at)
    }
}

impl<'a, A, const W: usize> Iterator for Iter<'a, A, W> {
    type Item = (usize, &'a Recent<A, W>);

    fn next(&mut self) -> Option<Self::Item> {
        let entries = &self.tail.chunks.get(self.chunk)?.entries;
        let found = (self.chunk * CHUNK + self.at, entries.get(self.at)?);
        self.at += 1;
        if self.at == entries.len() {
            (self.chunk, self.at) = (self.chunk + 1, 0);
        }
        Some(found)
    }
}

impl<A, const W: usize> Clone for Iter<'_, A, W> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}
