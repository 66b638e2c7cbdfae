use alloc::vec;
use alloc::vec::Vec;

/// Finds numbers by the hash of what they stand for.
///
/// The hash stands beside the number in one word, so that a look-up reads one line of memory, and a table that grows needs no other.
/// That is why it is none of a library: those have the number in one place and a few bits of the hash in another. Searched
/// at random among a million names that takes twice the time.
///
/// Nothing is ever removed. Open addressing with linear probing: Knuth, *The Art of Computer Programming* 3, section 6.4.
#[derive(Clone, Default)]
pub(super) struct Index {
    /// A power of two of them, or none. The upper half of a word is the hash, the lower one is 1 + the number; 0 is empty.
    words: Vec<u64>,
    len: usize,
}

impl Index {
    /// How many more would make it grow.
    pub(super) const fn room(&self) -> usize {
        self.words.len() / 4 * 3 - self.len
    }

    /// The number with this hash that is the one sought.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_sought: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = hash as usize;
        loop {
            let word = *self.words.get(at & self.mask())?;
            if word == 0 {
                return None;
            }
            let (found, number) = halves(word);
            if found == hash && is_sought(number) {
                return Some(number);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Enters a number that is not there yet. It must be below `u32::MAX`.
    pub(super) fn insert(&mut self, hash: u32, number: u32) {
        if self.room() == 0 {
            let words = vec![0; (2 * self.words.len()).max(16)];
            let entered = core::mem::replace(&mut self.words, words).into_iter().filter(|word| *word != 0);
            entered.for_each(|word| self.place(word));
        }
        self.place(u64::from(hash) << 32 | (u64::from(number) + 1));
        self.len += 1;
    }

    /// Puts a word into the first free place. There is one, for a quarter of them are free.
    fn place(&mut self, word: u64) {
        let (hash, _) = halves(word);
        let mask = self.mask();
        let mut places = (hash as usize..).map(|at| at & mask);
        let is_free = |at: &usize| self.words.get(*at).is_none_or(|place| *place == 0);
        if let Some(place) = places.find(is_free).and_then(|at| self.words.get_mut(at)) {
            *place = word;
        }
    }

    #[inline]
    const fn mask(&self) -> usize {
        self.words.len().wrapping_sub(1)
    }
}

/// The hash and the number of a word that is not empty.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
const fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, (word as u32).wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With hashes that all differ, that are equal, and that begin at the end of the table.
    #[test]
    fn it_finds_what_was_entered() {
        let hashes: [fn(u32) -> u32; 4] =
            [|n| n.wrapping_mul(0x9e37_79b9), |_| 7, |n| u32::MAX - n % 3, |n| n << 20];
        for hash in hashes {
            let mut index = Index::default();
            for n in 0..500 {
                assert_eq!(index.find(hash(n), |found| found == n), None);
                index.insert(hash(n), n);
                assert!((0..=n).all(|n| index.find(hash(n), |found| found == n) == Some(n)));
            }
        }
    }
}
