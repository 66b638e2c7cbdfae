//! The loops over lines of counts, compiled for the widest SIMD that the processor at hand has.
//!
//! Each loop is a struct whose `run` is always inlined, never a closure: a closure may stay a function of its own,
//! compiled for the baseline, and then runs five times slower without a word. One line needs no dispatch.

#![expect(
    clippy::inline_always,
    reason = "a kernel that is not inlined is compiled for the baseline, see above"
)]

use crate::counts::{LANES, Line};
use alloc::vec::Vec;

trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

#[cfg(feature = "std")]
#[inline]
fn widest<K: Kernel>(kernel: K) -> K::Output {
    struct Wide<K>(K);

    impl<K: Kernel> pulp::WithSimd for Wide<K> {
        type Output = K::Output;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
            self.0.run()
        }
    }

    pulp::Arch::new().dispatch(Wide(kernel))
}

#[cfg(not(feature = "std"))]
#[inline]
fn widest<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Raises each count of `ours` to that of `theirs`. Returns whether any changed.
#[inline]
pub(crate) fn max(ours: &mut [Line], theirs: &[Line]) -> bool {
    if let ([ours], [theirs]) = (&mut *ours, theirs) {
        return max_line(ours, theirs);
    }
    max_lines(ours, theirs)
}

#[inline]
fn max_line(ours: &mut Line, theirs: &Line) -> bool {
    let mut changed = false;
    for (a, &b) in ours.0.iter_mut().zip(&theirs.0) {
        changed |= b > *a;
        *a = b.max(*a);
    }
    changed
}

#[inline(never)]
fn max_lines(ours: &mut [Line], theirs: &[Line]) -> bool {
    widest(Max { ours, theirs })
}

struct Max<'a> {
    ours: &'a mut [Line],
    theirs: &'a [Line],
}

impl Kernel for Max<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut news = [0; LANES];
        for (a, b) in self.ours.iter_mut().zip(self.theirs) {
            for ((a, &b), news) in a.0.iter_mut().zip(&b.0).zip(&mut news) {
                let larger = b.max(*a);
                *news |= larger ^ *a;
                *a = larger;
            }
        }
        news != [0; LANES]
    }
}

/// As four calls of [`max`], with one pass over `ours`.
pub(crate) fn max4(ours: &mut [Line], theirs: [&[Line]; 4]) -> bool {
    widest(Max4 { ours, theirs })
}

struct Max4<'a> {
    ours: &'a mut [Line],
    theirs: [&'a [Line]; 4],
}

impl Kernel for Max4<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut news = [0; LANES];
        let [b, c, d, e] = self.theirs;
        for ((((a, b), c), d), e) in self.ours.iter_mut().zip(b).zip(c).zip(d).zip(e) {
            let others = b.0.iter().zip(&c.0).zip(d.0.iter().zip(&e.0));
            for ((a, ((&b, &c), (&d, &e))), news) in a.0.iter_mut().zip(others).zip(&mut news) {
                let larger = (*a).max(b).max(c.max(d).max(e));
                *news |= larger ^ *a;
                *a = larger;
            }
        }
        news != [0; LANES]
    }
}

/// The sum of all counts.
pub(crate) fn sum(lines: &[Line]) -> u128 {
    // A lane takes in 2^32 halves before it could wrap.
    lines.chunks(1 << 31).map(|lines| widest(Sum { lines })).sum()
}

struct Sum<'a> {
    lines: &'a [Line],
}

impl Kernel for Sum<'_> {
    type Output = u128;

    #[inline(always)]
    fn run(self) -> u128 {
        // Adding the halves apart needs no carry, which SIMD has not got.
        let (mut low, mut high) = ([0_u64; LANES], [0_u64; LANES]);
        for line in self.lines {
            for ((&n, low), high) in line.0.iter().zip(&mut low).zip(&mut high) {
                *low += n & 0xffff_ffff;
                *high += n >> 32;
            }
        }
        let total = |lanes: [u64; LANES]| lanes.iter().map(|&n| u128::from(n)).sum::<u128>();
        total(low) + (total(high) << 32)
    }
}

/// How many counts are not zero.
pub(crate) fn nonzero(lines: &[Line]) -> usize {
    if let [line] = lines {
        return line.0.iter().filter(|&&n| n != 0).count();
    }
    usize::try_from(widest(Nonzero { lines })).unwrap_or(usize::MAX)
}

struct Nonzero<'a> {
    lines: &'a [Line],
}

impl Kernel for Nonzero<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut lanes = [0_u64; LANES];
        for line in self.lines {
            for (&n, lane) in line.0.iter().zip(&mut lanes) {
                *lane += u64::from(n != 0);
            }
        }
        lanes.iter().sum()
    }
}

/// How many counts are larger in `ours` than in `theirs`.
pub(crate) fn above(ours: &[Line], theirs: &[Line]) -> usize {
    usize::try_from(widest(Above { ours, theirs })).unwrap_or(usize::MAX)
}

struct Above<'a> {
    ours: &'a [Line],
    theirs: &'a [Line],
}

impl Kernel for Above<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut lanes = [0_u64; LANES];
        for (a, b) in self.ours.iter().zip(self.theirs) {
            for ((&a, &b), lane) in a.0.iter().zip(&b.0).zip(&mut lanes) {
                *lane += u64::from(a > b);
            }
        }
        lanes.iter().sum()
    }
}

/// The counts of `ours` that are larger than in `theirs`, zeros elsewhere.
pub(crate) fn delta(ours: &[Line], theirs: &[Line]) -> Vec<Line> {
    let mut delta = ours.to_vec();
    widest(KeepAbove { ours: &mut delta, theirs });
    delta
}

struct KeepAbove<'a> {
    ours: &'a mut [Line],
    theirs: &'a [Line],
}

impl Kernel for KeepAbove<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (a, b) in self.ours.iter_mut().zip(self.theirs) {
            for (a, &b) in a.0.iter_mut().zip(&b.0) {
                *a = if *a > b { *a } else { 0 };
            }
        }
    }
}

/// Whether any count is larger in `ours`, and whether any is larger in `theirs`.
pub(crate) fn sides(ours: &[Line], theirs: &[Line]) -> (bool, bool) {
    let (mut above, mut below) = (false, false);
    // In chunks, to stop early where the answer is known.
    for (ours, theirs) in ours.chunks(256).zip(theirs.chunks(256)) {
        let (more, less) = widest(Sides { ours, theirs });
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

impl Kernel for Sides<'_> {
    type Output = (bool, bool);

    #[inline(always)]
    fn run(self) -> (bool, bool) {
        let (mut above, mut below) = ([0_u64; LANES], [0_u64; LANES]);
        for (a, b) in self.ours.iter().zip(self.theirs) {
            for (((&a, &b), above), below) in a.0.iter().zip(&b.0).zip(&mut above).zip(&mut below) {
                let larger = a.max(b);
                *above |= larger ^ b;
                *below |= larger ^ a;
            }
        }
        (above != [0; LANES], below != [0; LANES])
    }
}
