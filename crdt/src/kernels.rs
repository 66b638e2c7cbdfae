//! The loops over lines of counts, compiled for the widest SIMD that the processor at hand has.
//!
//! Each loop is a struct whose `with_simd` is always inlined, never a closure: a closure may stay a function of its
//! own, compiled for the baseline, and then runs five times slower without a word. What is gathered over a whole
//! loop is held in a vector for the same reason: the compiler takes an array of eight sums apart.
//! One line needs no dispatch.
#![expect(
    clippy::inline_always,
    reason = "a kernel that is not inlined is compiled for the baseline, see above"
)]

use crate::counts::{LANES, Line};
use alloc::vec::Vec;
use core::iter::zip;
use pulp::{Arch, Simd, WithSimd};

/// Raises each count of `ours` to that of `theirs`. Returns whether any changed.
#[inline(never)]
pub(crate) fn max(ours: &mut [Line], theirs: &[Line]) -> bool {
    Arch::new().dispatch(Max { ours, theirs })
}

struct Max<'a> {
    ours: &'a mut [Line],
    theirs: &'a [Line],
}

impl WithSimd for Max<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let mut news = simd.splat_u64s(0);
        let (ours, our_rest) = self.ours.as_chunks_mut::<4>();
        let (theirs, their_rest) = self.theirs.as_chunks::<4>();
        for (ours, theirs) in zip(ours, theirs) {
            for (a, b) in zip(ours, theirs) {
                news = max_step(simd, a, b, news);
            }
        }
        for (a, b) in zip(our_rest, their_rest) {
            news = max_step(simd, a, b, news);
        }
        any::<S>(news)
    }
}

#[inline(always)]
fn max_step<S: Simd>(simd: S, ours: &mut Line, theirs: &Line, mut news: S::u64s) -> S::u64s {
    for (a, &b) in zip(vectors_mut::<S>(ours), vectors::<S>(theirs)) {
        let larger = larger(simd, *a, b);
        news = simd.or_u64s(news, simd.xor_u64s(larger, *a));
        *a = larger;
    }
    news
}

/// As four calls of [`max`], with one pass over `ours`.
pub(crate) fn max4(ours: &mut [Line], theirs: [&[Line]; 4]) -> bool {
    Arch::new().dispatch(Max4 { ours, theirs })
}

struct Max4<'a> {
    ours: &'a mut [Line],
    theirs: [&'a [Line]; 4],
}

impl WithSimd for Max4<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let mut news = simd.splat_u64s(0);
        let [b, c, d, e] = self.theirs;
        for ((a, (b, c)), (d, e)) in zip(zip(self.ours, zip(b, c)), zip(d, e)) {
            let others = zip(zip(vectors::<S>(b), vectors::<S>(c)), zip(vectors::<S>(d), vectors::<S>(e)));
            for (a, ((&b, &c), (&d, &e))) in zip(vectors_mut::<S>(a), others) {
                let largest = larger(simd, larger(simd, b, c), larger(simd, d, e));
                let largest = larger(simd, *a, largest);
                news = simd.or_u64s(news, simd.xor_u64s(largest, *a));
                *a = largest;
            }
        }
        any::<S>(news)
    }
}

/// The sum of all counts in the lines at even places, and of those in the lines between.
pub(crate) fn sums(lines: &[Line]) -> (u128, u128) {
    Arch::new().dispatch(Sums { lines })
}

struct Sums<'a> {
    lines: &'a [Line],
}

impl WithSimd for Sums<'_> {
    type Output = (u128, u128);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (u128, u128) {
        let (mut even, mut odd) = (Lanes::new(simd), Lanes::new(simd));
        let (pairs, rest) = self.lines.as_chunks::<2>();
        for [a, b] in pairs {
            for (&a, &b) in zip(vectors::<S>(a), vectors::<S>(b)) {
                even.add(simd, a);
                odd.add(simd, b);
            }
        }
        for line in rest {
            for &n in vectors::<S>(line) {
                even.add(simd, n);
            }
        }
        (even.total(), odd.total())
    }
}

/// A sum in each lane, and how often it has wrapped.
struct Lanes<S: Simd> {
    sums: S::u64s,
    wraps: S::u64s,
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self { sums: simd.splat_u64s(0), wraps: simd.splat_u64s(0) }
    }

    #[inline(always)]
    fn add(&mut self, simd: S, n: S::u64s) {
        self.sums = simd.add_u64s(self.sums, n);
        let wrapped = simd.greater_than_u64s(n, self.sums);
        self.wraps = simd.select_u64s(wrapped, simd.add_u64s(self.wraps, simd.splat_u64s(1)), self.wraps);
    }

    #[inline(always)]
    fn total(self) -> u128 {
        let parts = zip(scalars::<S>(&self.sums), scalars::<S>(&self.wraps));
        parts.map(|(&sum, &wraps)| u128::from(sum) + (u128::from(wraps) << 64)).sum()
    }
}

/// How many ids have a count, where each block is `W` lines.
pub(crate) fn used<const W: usize>(lines: &[Line]) -> usize {
    usize::try_from(Arch::new().dispatch(Used::<W> { lines })).unwrap_or(usize::MAX)
}

struct Used<'a, const W: usize> {
    lines: &'a [Line],
}

impl<const W: usize> WithSimd for Used<'_, W> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let (zero, one) = (simd.splat_u64s(0), simd.splat_u64s(1));
        let mut found = zero;
        for block in self.lines.as_chunks::<W>().0 {
            let mut any = Line::ZERO;
            for line in block {
                for (any, &n) in zip(vectors_mut::<S>(&mut any), vectors::<S>(line)) {
                    *any = simd.or_u64s(*any, n);
                }
            }
            for &n in vectors::<S>(&any) {
                found = simd.select_u64s(simd.greater_than_u64s(n, zero), simd.add_u64s(found, one), found);
            }
        }
        scalars::<S>(&found).iter().sum()
    }
}

/// How many counts are larger in `ours` than in `theirs`.
pub(crate) fn above(ours: &[Line], theirs: &[Line]) -> usize {
    usize::try_from(Arch::new().dispatch(Above { ours, theirs })).unwrap_or(usize::MAX)
}

struct Above<'a> {
    ours: &'a [Line],
    theirs: &'a [Line],
}

impl WithSimd for Above<'_> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let one = simd.splat_u64s(1);
        let mut found = simd.splat_u64s(0);
        for (a, b) in zip(self.ours, self.theirs) {
            for (&a, &b) in zip(vectors::<S>(a), vectors::<S>(b)) {
                found = simd.select_u64s(simd.greater_than_u64s(a, b), simd.add_u64s(found, one), found);
            }
        }
        scalars::<S>(&found).iter().sum()
    }
}

/// The counts of `ours` that are larger than in `theirs`, zeros elsewhere.
pub(crate) fn delta(ours: &[Line], theirs: &[Line]) -> Vec<Line> {
    let mut delta = ours.to_vec();
    Arch::new().dispatch(KeepAbove { ours: &mut delta, theirs });
    delta
}

struct KeepAbove<'a> {
    ours: &'a mut [Line],
    theirs: &'a [Line],
}

impl WithSimd for KeepAbove<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_u64s(0);
        for (a, b) in zip(self.ours, self.theirs) {
            for (a, &b) in zip(vectors_mut::<S>(a), vectors::<S>(b)) {
                *a = simd.select_u64s(simd.greater_than_u64s(*a, b), *a, zero);
            }
        }
    }
}

/// Whether any count is larger in `ours`, and whether any is larger in `theirs`.
pub(crate) fn sides(ours: &[Line], theirs: &[Line]) -> (bool, bool) {
    let (mut above, mut below) = (false, false);
    // In chunks, to stop early where the answer is known.
    for (ours, theirs) in zip(ours.chunks(256), theirs.chunks(256)) {
        let (more, less) = Arch::new().dispatch(Sides { ours, theirs });
        above |= more;
        below |= less;
        if above && below {
            break;
        }
    }
    (above, below)
}

struct Sides<'a> {
    ours: &'a [Line],
    theirs: &'a [Line],
}

impl WithSimd for Sides<'_> {
    type Output = (bool, bool);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (bool, bool) {
        let (mut above, mut below) = (simd.splat_u64s(0), simd.splat_u64s(0));
        for (a, b) in zip(self.ours, self.theirs) {
            for (&a, &b) in zip(vectors::<S>(a), vectors::<S>(b)) {
                let larger = larger(simd, a, b);
                above = simd.or_u64s(above, simd.xor_u64s(larger, b));
                below = simd.or_u64s(below, simd.xor_u64s(larger, a));
            }
        }
        (any::<S>(above), any::<S>(below))
    }
}

/// The larger count in each lane. Written with bits, since the compiler makes one instruction of this, but of a
/// selection, which pulp does on floats, a masked store, which is slower.
#[inline(always)]
fn larger<S: Simd>(simd: S, a: S::u64s, b: S::u64s) -> S::u64s {
    let (none, all) = (simd.splat_u64s(0), simd.splat_u64s(u64::MAX));
    let take = simd.select_u64s(simd.greater_than_u64s(b, a), all, none);
    simd.or_u64s(simd.and_u64s(b, take), simd.and_u64s(a, simd.not_u64s(take)))
}

/// A line as the vectors of this SIMD: eight of one count up to one of eight, never with a rest.
#[inline(always)]
fn vectors<S: Simd>(line: &Line) -> &[S::u64s] {
    const { assert!(LANES.is_multiple_of(S::U64_LANES)) };
    S::as_simd_u64s(&line.0).0
}

#[inline(always)]
fn vectors_mut<S: Simd>(line: &mut Line) -> &mut [S::u64s] {
    const { assert!(LANES.is_multiple_of(S::U64_LANES)) };
    S::as_mut_simd_u64s(&mut line.0).0
}

#[inline(always)]
fn scalars<S: Simd>(lanes: &S::u64s) -> &[u64] {
    pulp::bytemuck::cast_slice(core::slice::from_ref(lanes))
}

#[inline(always)]
fn any<S: Simd>(lanes: S::u64s) -> bool {
    scalars::<S>(&lanes).iter().fold(0, |all, lane| all | lane) != 0
}
