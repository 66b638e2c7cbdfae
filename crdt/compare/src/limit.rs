//! What the machine can do at most with the same bytes: `a |= b` compiled for the widest SIMD at hand.

use pulp::{Arch, Simd, WithSimd};

const LINE: usize = 8;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

/// Lines from one page to the next. Where two arrays lie by the same place in their pages, or nearly, a processor takes
/// loads from the one for loads of what was just stored in the other, and is slower by a third.
const PAGE: usize = 64;

/// Two arrays of counts, in one piece, half a page apart. They are never freed, for a bench makes few: so the pass over
/// them has nothing to check.
pub struct Limit {
    ours: &'static mut [Line],
    theirs: &'static [Line],
}

impl Limit {
    pub fn new(n: u64) -> Self {
        let lines = usize::try_from(n).unwrap().div_ceil(LINE);
        let start = lines.next_multiple_of(PAGE) + PAGE / 2;
        let (ours, theirs) = vec![Line([1; LINE]); start + lines].leak().split_at_mut(start);
        theirs.fill(Line([2; LINE]));
        Self { ours: ours.split_at_mut(lines).0, theirs }
    }

    pub fn or(&mut self) {
        Arch::new().dispatch(Or { ours: self.ours, theirs: self.theirs });
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
