//! The loops over the counts of few ids, which are in the counter itself.
//!
//! They are inlined, and none reads what it has just written.

use super::LANES;

type Block<const W: usize> = [[u64; LANES]; W];

/// Raises each count to that in `theirs`. Returns whether any changed.
#[inline]
pub(super) fn max<const W: usize>(ours: &mut Block<W>, theirs: &Block<W>) -> bool {
    ours.iter_mut().zip(theirs).fold(false, |changed, (a, b)| max_line(a, b) | changed)
}

#[inline]
fn max_line(ours: &mut [u64; LANES], theirs: &[u64; LANES]) -> bool {
    let (ours, our_rest) = ours.split_at_mut(LANES / 2);
    let (theirs, their_rest) = theirs.split_at(LANES / 2);
    let changed = max_each(ours, theirs);
    // Most clusters are that small.
    if *their_rest == [0; LANES / 2] { changed } else { max_each(our_rest, their_rest) | changed }
}

#[inline]
fn max_each(ours: &mut [u64], theirs: &[u64]) -> bool {
    let mut news = 0;
    for (a, &b) in ours.iter_mut().zip(theirs) {
        let larger = b.max(*a);
        news |= larger ^ *a;
        *a = larger;
    }
    news != 0
}

/// The counts that are larger than in `theirs`, zeros elsewhere.
#[inline]
pub(super) fn delta<const W: usize>(ours: &Block<W>, theirs: &Block<W>) -> Block<W> {
    let mut delta = *ours;
    for (a, b) in delta.as_flattened_mut().iter_mut().zip(theirs.as_flattened()) {
        *a = if *a > *b { *a } else { 0 };
    }
    delta
}

/// How many ids have a count that is larger than in `theirs`.
#[inline]
pub(super) fn ids_above<const W: usize>(ours: &Block<W>, theirs: &Block<W>) -> usize {
    let mut above = [false; LANES];
    for (ours, theirs) in ours.iter().zip(theirs) {
        for (above, (a, b)) in above.iter_mut().zip(ours.iter().zip(theirs)) {
            *above |= a > b;
        }
    }
    above.into_iter().map(usize::from).sum()
}

/// How many ids have a count.
#[inline]
pub(super) fn used<const W: usize>(block: &Block<W>) -> usize {
    ids_above(block, &[[0; LANES]; W])
}
