//! The counts of a counter: plain numbers beside the ids of its table.

mod few;
mod writer;

pub(crate) use self::writer::Writer;

use crate::kernels;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// How many counts a line holds.
pub(crate) const LANES: usize = 8;

/// How many blocks are looked at together for a few news among them.
const CHUNK: usize = 64;

/// One cache line of counts. The alignment is what lets a 64-byte load touch one line and not two.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Line(pub(crate) [u64; LANES]);

impl Line {
    pub(crate) const ZERO: Self = Self([0; LANES]);
}

/// `W` counts for each id of a table, in the table's order, and zeros up to a full block of [`LANES`] ids.
///
/// A block is `W` lines: the first counts of its ids, then their second counts. Most loops don't need to know that.
/// How long the table is decides between the two forms, so that counters of one table have the same form.
pub(crate) enum Counts<const W: usize> {
    /// Of up to [`LANES`] ids: in place, for an allocation takes longer than most of the work on so few.
    Few([[u64; LANES]; W]),
    Many(Vec<Line>),
}

impl<const W: usize> Counts<W> {
    pub(crate) const fn new() -> Self {
        Self::Few([[0; LANES]; W])
    }

    /// Zeros for `len` ids.
    pub(crate) fn zeros(len: usize) -> Self {
        if len <= LANES { Self::new() } else { Self::Many(vec![Line::ZERO; len.div_ceil(LANES) * W]) }
    }

    /// The count of one side of the id at `at`, 0 past the end.
    #[inline]
    pub(crate) fn side(&self, at: usize, side: usize) -> u64 {
        let count = match self {
            Self::Few(block) => block.get(side).and_then(|line| line.get(at)),
            Self::Many(lines) => lines.get(at / LANES * W + side).and_then(|line| line.0.get(at % LANES)),
        };
        count.copied().unwrap_or(0)
    }

    /// The counts of the id at `at`, zeros past the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> [u64; W] {
        core::array::from_fn(|side| self.side(at, side))
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "callers hold an index that their table vouches for")]
    fn side_mut(&mut self, at: usize, side: usize) -> &mut u64 {
        match self {
            Self::Few(block) => &mut block[side][at],
            Self::Many(lines) => &mut lines[at / LANES * W + side].0[at % LANES],
        }
    }

    #[inline]
    pub(crate) fn set(&mut self, at: usize, counts: [u64; W]) {
        for (side, n) in counts.into_iter().enumerate() {
            *self.side_mut(at, side) = n;
        }
    }

    /// The first id from `at` on, and before `end`, that has a count.
    #[inline]
    pub(crate) fn next_used(&self, mut at: usize, end: usize) -> Option<(usize, [u64; W])> {
        while at < end {
            let counts = self.get(at);
            if counts != [0; W] {
                return Some((at, counts));
            }
            at += if at.is_multiple_of(LANES) && self.block_is_zero(at / LANES) { LANES } else { 1 };
        }
        None
    }

    fn block_is_zero(&self, block: usize) -> bool {
        let Self::Many(lines) = self else { return false };
        lines
            .get(block * W..(block + 1) * W)
            .is_some_and(|lines| lines.iter().all(|line| *line == Line::ZERO))
    }

    /// Makes room for the counts of one id at `at` among `len`, and puts `counts` there.
    pub(crate) fn insert(&mut self, at: usize, len: usize, counts: [u64; W]) {
        if len == LANES {
            self.spill();
        }
        match self {
            Self::Few(block) => {
                for (line, n) in block.iter_mut().zip(counts) {
                    shift_in(line.iter_mut().take(len + 1).skip(at), n);
                }
            }
            Self::Many(lines) => {
                if len.is_multiple_of(LANES) {
                    lines.extend([Line::ZERO; W]);
                }
                for (side, mut carried) in counts.into_iter().enumerate() {
                    let mut lines = lines.iter_mut().skip(at / LANES * W + side).step_by(W);
                    for count in lines.next().into_iter().flat_map(|line| line.0.iter_mut().skip(at % LANES))
                    {
                        core::mem::swap(count, &mut carried);
                    }
                    for line in lines {
                        let [.., last] = line.0;
                        line.0.copy_within(..LANES - 1, 1);
                        [line.0[0], carried] = [carried, last];
                    }
                }
            }
        }
    }

    fn spill(&mut self) {
        if let Self::Few(block) = self {
            *self = Self::Many(block.iter().map(|line| Line(*line)).collect());
        }
    }

    /// Raises each count to that in `other`, which has the same table. Returns whether any changed.
    #[inline]
    pub(crate) fn max(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => few::max(ours, theirs),
            (Self::Many(ours), Self::Many(theirs)) => kernels::max(ours, theirs),
            (_, _) => other_form(),
        }
    }

    /// As [`max`](Self::max), by a block of the short form.
    #[cfg(feature = "json")]
    #[inline]
    pub(crate) fn max_block(&mut self, theirs: &[[u64; LANES]; W]) -> bool {
        match self {
            Self::Few(ours) => few::max(ours, theirs),
            Self::Many(_) => other_form(),
        }
    }

    /// As [`max`](Self::max), by lines of the long form.
    #[cfg(feature = "json")]
    pub(crate) fn max_lines(&mut self, theirs: &[Line]) -> bool {
        match self {
            Self::Many(lines) => kernels::max(lines, theirs),
            Self::Few(_) => other_form(),
        }
    }

    /// As four calls of [`max`](Self::max).
    pub(crate) fn max4(&mut self, others: [&Self; 4]) -> bool {
        match self {
            Self::Few(_) => others.into_iter().fold(false, |changed, other| self.max(other) | changed),
            Self::Many(lines) => kernels::max4(lines, others.map(Self::lines)),
        }
    }

    /// The sum of the counts of each side.
    pub(crate) fn sums(&self) -> [u128; W] {
        const { assert!(W == 1 || W == 2, "the lines of two sides alternate") };
        match self {
            Self::Few(block) => block.map(|line| line.iter().map(|&n| u128::from(n)).sum()),
            Self::Many(lines) => {
                let (even, odd) = kernels::sums(lines);
                core::array::from_fn(|side| match (W, side) {
                    (1, _) => even + odd,
                    (_, 0) => even,
                    (_, _) => odd,
                })
            }
        }
    }

    /// How many ids have a count.
    #[inline]
    pub(crate) fn used(&self) -> usize {
        match self {
            Self::Few(block) => few::used(block),
            Self::Many(lines) => kernels::used::<W>(lines),
        }
    }

    /// How many counts are larger here than in `other`, which has the same table.
    pub(crate) fn above(&self, other: &Self) -> usize {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => {
                ours.as_flattened().iter().zip(theirs.as_flattened()).filter(|(a, b)| a > b).count()
            }
            (ours, theirs) => kernels::above(ours.lines(), theirs.lines()),
        }
    }

    /// How many ids have a count that is larger here than in `other`, which has the same table.
    #[inline]
    pub(crate) fn ids_above(&self, other: &Self) -> usize {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => few::ids_above(ours, theirs),
            (ours, theirs) if W == 1 => kernels::above(ours.lines(), theirs.lines()),
            (ours, theirs) => ours.delta(theirs).used(),
        }
    }

    /// The counts that are larger here than in `other`, which has the same table; zeros elsewhere.
    #[inline]
    pub(crate) fn delta(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => Self::Few(few::delta(ours, theirs)),
            (ours, theirs) => Self::Many(kernels::delta(ours.lines(), theirs.lines())),
        }
    }

    /// By index, the counts that are larger here than in `other`, which has the same table. `larger` are.
    pub(crate) fn news(&self, other: &Self, larger: usize) -> Vec<(usize, [u64; W])> {
        let mut news = Vec::with_capacity(larger);
        // Whole chunks without news are passed at the speed of a kernel.
        let chunks = self.lines().chunks(CHUNK * W).zip(other.lines().chunks(CHUNK * W));
        let (mut chunks, mut left) = (chunks.enumerate(), larger);
        let mut gather = |range: Range<usize>| {
            for at in range {
                let (ours, theirs) = (self.get(at), other.get(at));
                news.extend(above(ours, theirs).map(|counts| (at, counts)));
            }
        };
        if let Self::Few(_) = self {
            gather(0..LANES);
        }
        while left > 0
            && let Some((chunk, (ours, theirs))) = chunks.next()
        {
            let found = kernels::above(ours, theirs);
            if found > 0 {
                gather(chunk * CHUNK * LANES..(chunk + 1) * CHUNK * LANES);
            }
            left -= found;
        }
        news
    }

    /// Whether any count is larger here, and whether any is larger in `other`, which has the same table.
    pub(crate) fn sides(&self, other: &Self) -> (bool, bool) {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => {
                let pairs = || ours.as_flattened().iter().zip(theirs.as_flattened());
                (pairs().any(|(a, b)| a > b), pairs().any(|(a, b)| a < b))
            }
            (ours, theirs) => kernels::sides(ours.lines(), theirs.lines()),
        }
    }

    /// The lines of the long form.
    #[inline]
    pub(crate) fn lines(&self) -> &[Line] {
        match self {
            Self::Few(_) => &[],
            Self::Many(lines) => lines,
        }
    }
}

/// Counts of one table have one form. Were it not so, there would be nothing to compare.
#[cold]
fn other_form() -> bool {
    debug_assert!(false, "counts of one table have one form");
    false
}

/// Moves each item to the next place. Returns the last one.
///
/// One by one: so few take longer to be moved by a call.
#[inline]
pub(crate) fn shift_in<'a, T: 'a>(places: impl Iterator<Item = &'a mut T>, mut item: T) -> T {
    places.for_each(|place| core::mem::swap(place, &mut item));
    item
}

impl Counts<2> {
    /// The counts of one side.
    pub(crate) fn of_side(&self, side: usize) -> Counts<1> {
        match self {
            Self::Few(block) => Counts::Few([block.get(side).copied().unwrap_or_default()]),
            Self::Many(lines) => Counts::Many(lines.iter().skip(side).step_by(2).copied().collect()),
        }
    }
}

impl Counts<1> {
    /// These counts as one of two sides, the other zero.
    pub(crate) fn into_side(self, side: usize) -> Counts<2> {
        let sides = |line, zero| if side == 0 { [line, zero] } else { [zero, line] };
        match self {
            Self::Few([line]) => Counts::Few(sides(line, [0; LANES])),
            Self::Many(lines) => {
                let sides = |line| if side == 0 { [line, Line::ZERO] } else { [Line::ZERO, line] };
                Counts::Many(lines.into_iter().flat_map(sides).collect())
            }
        }
    }
}

impl<const W: usize> Clone for Counts<W> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Few(block) => Self::Few(*block),
            Self::Many(lines) => Self::Many(lines.clone()),
        }
    }

    fn clone_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::Many(ours), Self::Many(theirs)) => ours.clone_from(theirs),
            (ours, theirs) => *ours = theirs.clone(),
        }
    }
}

impl<const W: usize> PartialEq for Counts<W> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Few(ours), Self::Few(theirs)) => ours == theirs,
            (ours, theirs) => ours.lines() == theirs.lines(),
        }
    }
}

/// The counts that are larger than the others, zeros elsewhere; `None` if none is.
pub(crate) fn above<const W: usize>(counts: [u64; W], others: [u64; W]) -> Option<[u64; W]> {
    let mut above = counts;
    for (count, other) in above.iter_mut().zip(others) {
        *count = if *count > other { *count } else { 0 };
    }
    (above != [0; W]).then_some(above)
}

/// The larger count of each side.
#[inline]
pub(crate) fn larger<const W: usize>(a: [u64; W], b: [u64; W]) -> [u64; W] {
    let mut larger = a;
    for (a, b) in larger.iter_mut().zip(b) {
        *a = b.max(*a);
    }
    larger
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserts_anywhere<const W: usize>(counts_of: fn(u64) -> [u64; W]) {
        for len in 0..20 {
            for at in 0..=len {
                let mut counts = Counts::<W>::new();
                let mut plain = Vec::new();
                for i in 0..len {
                    counts.insert(i, i, counts_of(i as u64 + 1));
                    plain.push(counts_of(i as u64 + 1));
                }
                counts.insert(at, len, counts_of(99));
                plain.insert(at, counts_of(99));
                plain.resize((len + 1).next_multiple_of(LANES), [0; W]);
                let all: Vec<_> = (0..plain.len()).map(|at| counts.get(at)).collect();
                assert_eq!(all, plain);
                assert_eq!(counts.used(), len + 1);
                assert!(matches!(counts, Counts::Few(_)) == (len < LANES));
            }
        }
    }

    #[test]
    fn inserts_anywhere_and_keeps_the_padding_zero() {
        inserts_anywhere(|n| [n]);
        inserts_anywhere(|n| [n, 1000 + n]);
        inserts_anywhere(|n| if n % 2 == 0 { [n, 0] } else { [0, n] });
    }
}
