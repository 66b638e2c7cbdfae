use super::{Counts, LANES, Line};
use alloc::vec::Vec;

/// Writes the counts of one id after the other.
pub(crate) struct Writer<const W: usize> {
    lines: Vec<Line>,
    len: usize,
}

impl<const W: usize> Writer<W> {
    /// With room for the counts of so many ids.
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self { lines: Vec::with_capacity(len.div_ceil(LANES) * W), len: 0 }
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a lane is below the length of a line")]
    pub(crate) fn push(&mut self, counts: [u64; W]) {
        let lane = self.len % LANES;
        if lane == 0 {
            self.lines.extend([Line::ZERO; W]);
        }
        if let Some(block) = self.lines.last_chunk_mut::<W>() {
            for (line, n) in block.iter_mut().zip(counts) {
                line.0[lane] = n;
            }
        }
        self.len += 1;
    }

    /// Those of the ids from `from` up to `to`.
    #[inline]
    pub(crate) fn copy(&mut self, counts: &Counts<W>, from: usize, to: usize) {
        (from..to).for_each(|at| self.push(counts.get(at)));
    }

    /// Room that was not needed is given back.
    pub(crate) fn finish(mut self) -> Counts<W> {
        if self.len <= LANES {
            let block = self.lines.first_chunk::<W>();
            return block.map_or_else(Counts::new, |block| Counts::Few(block.map(|line| line.0)));
        }
        self.lines.shrink_to_fit();
        Counts::Many(self.lines)
    }
}
