//! The counts of a counter: plain numbers in cache lines.

use alloc::vec;
use alloc::vec::Vec;

/// How many counts a line holds.
pub(crate) const LANES: usize = 8;

/// One cache line of counts. The alignment is what lets a 64-byte load touch one line and not two.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u64; LANES]);

impl Line {
    pub(crate) const ZERO: Self = Self([0; LANES]);
}

/// One count per id of a table, in the table's order; the last line is padded with zeros.
#[derive(Clone)]
pub(crate) struct Counts(Vec<Line>);

impl Counts {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) const fn from_lines(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    pub(crate) fn zeros(len: usize) -> Self {
        Self(vec![Line::ZERO; len.div_ceil(LANES)])
    }

    pub(crate) fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len.div_ceil(LANES)))
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[Line] {
        &self.0
    }

    #[inline]
    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.0
    }

    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }

    /// All counts, the padding included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|line| line.0)
    }

    /// The count at `at`, 0 past the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        self.0.get(at / LANES).and_then(|line| line.0.get(at % LANES)).copied().unwrap_or(0)
    }

    /// Whether the line `at` holds nothing but zeros.
    pub(crate) fn line_is_zero(&self, at: usize) -> bool {
        self.0.get(at) == Some(&Line::ZERO)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "callers hold an index that their table vouches for")]
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut u64 {
        &mut self.0[at / LANES].0[at % LANES]
    }

    /// Raises the count at `at` to `n`. Returns whether that changed it.
    #[inline]
    pub(crate) fn raise(&mut self, at: usize, n: u64) -> bool {
        let count = self.get_mut(at);
        let raised = n > *count;
        *count = n.max(*count);
        raised
    }

    /// Makes room for one count at `at` among `len`, and puts `n` there.
    pub(crate) fn insert(&mut self, at: usize, len: usize, n: u64) {
        if len.is_multiple_of(LANES) {
            self.0.push(Line::ZERO);
        }
        let mut from = at % LANES;
        let mut carried = n;
        for line in self.0.iter_mut().skip(at / LANES) {
            for count in line.0.iter_mut().skip(from) {
                core::mem::swap(count, &mut carried);
            }
            from = 0;
        }
    }

    /// Appends `n` behind `len` counts.
    #[inline]
    pub(crate) fn push(&mut self, len: usize, n: u64) {
        if len.is_multiple_of(LANES) {
            self.0.push(Line::ZERO);
        }
        *self.get_mut(len) = n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_anywhere_and_keeps_the_padding_zero() {
        for len in 0..20 {
            for at in 0..=len {
                let mut counts = Counts::new();
                let mut plain = Vec::new();
                for i in 0..len {
                    counts.push(i, i as u64 + 1);
                    plain.push(i as u64 + 1);
                }
                counts.insert(at, len, 99);
                plain.insert(at, 99);
                plain.resize((len + 1).next_multiple_of(LANES), 0);
                assert_eq!(counts.iter().collect::<Vec<_>>(), plain);
            }
        }
    }
}
