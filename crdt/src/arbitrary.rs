//! Counters from any bytes, for fuzz targets.

use crate::{GCounter, PnCounter, VersionVector};
use arbitrary::{Arbitrary, Result, Unstructured};

impl<'a, A: Ord + Clone + Arbitrary<'a>> Arbitrary<'a> for GCounter<A> {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        input.arbitrary_iter()?.collect()
    }
}

impl<'a, A: Ord + Clone + Arbitrary<'a>> Arbitrary<'a> for PnCounter<A> {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::from_parts(input.arbitrary()?, input.arbitrary()?))
    }
}

impl<'a, A: Ord + Clone + Arbitrary<'a>> Arbitrary<'a> for VersionVector<A> {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        GCounter::arbitrary(input).map(Self::from)
    }
}
