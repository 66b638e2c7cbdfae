//! What the machine can do at most with the same bytes: `a |= b` compiled for the widest SIMD at hand.

use pulp::{Arch, Simd, WithSimd};

const LINE: usize = 8;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

/// Two arrays of counts.
pub struct Limit {
    ours: Vec<Line>,
    theirs: Vec<Line>,
}

impl Limit {
    pub fn new(n: u64) -> Self {
        let lines = usize::try_from(n).unwrap().div_ceil(LINE);
        Self { ours: vec![Line([1; LINE]); lines], theirs: vec![Line([2; LINE]); lines] }
    }

    pub fn or(&mut self) {
        Arch::new().dispatch(Or { ours: &mut self.ours, theirs: &self.theirs });
    }

    /// How many cache lines hold ones.
    pub fn read(&self) -> usize {
        self.ours.iter().filter(|line| line.0 == [1; LINE]).count()
    }
}

struct Or<'a> {
    ours: &'a mut [Line],
    theirs: &'a [Line],
}

impl WithSimd for Or<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "otherwise it is compiled for the baseline")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (a, b) in self.ours.iter_mut().zip(self.theirs) {
            for (a, b) in a.0.iter_mut().zip(&b.0) {
                *a |= b;
            }
        }
    }
}

/// Copies eight bytes per entry.
pub fn memcpy(to: &mut [u64], from: &[u64]) {
    to.copy_from_slice(from);
}
