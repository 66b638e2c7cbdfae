use super::{Counts, LANES, Line};
use alloc::vec::Vec;

/// Writes the counts of one id after the other, a block at a time.
pub(super) struct Writer<const W: usize> {
    lines: Vec<Line>,
    block: [[u64; LANES]; W],
    len: usize,
    many: bool,
}

impl<const W: usize> Writer<W> {
    pub(super) fn with_capacity(len: usize) -> Self {
        let many = len > LANES;
        let lines = if many { len.div_ceil(LANES) * W } else { 0 };
        Self { lines: Vec::with_capacity(lines), block: [[0; LANES]; W], len: 0, many }
    }

    #[inline]
    pub(super) fn push(&mut self, counts: [u64; W]) {
        let lane = self.len % LANES;
        for (line, n) in self.block.iter_mut().zip(counts) {
            if let Some(count) = line.get_mut(lane) {
                *count = n;
            }
        }
        self.len += 1;
        if self.many && lane + 1 == LANES {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        self.lines.extend(self.block.map(Line));
        self.block = [[0; LANES]; W];
    }

    pub(super) fn finish(mut self) -> Counts<W> {
        if !self.many {
            return Counts::Few(self.block);
        }
        if !self.len.is_multiple_of(LANES) {
            self.end_block();
        }
        Counts::Many(self.lines)
    }
}
