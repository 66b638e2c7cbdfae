//! A life's random generator: the same numbers again and again, others in each life.

use std::convert::Infallible;

use rand::TryRng;

/// A generator without a state: so that a node's state says all there is to say of it.
///
/// Epochs are drawn from 32 bits, and message ids and jitter from 64: half of the range, so that jitter is naught,
/// and message ids begin 65,536 apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Life {
    pub(crate) epoch: u32,
    pub(crate) ids: u16,
}

impl TryRng for Life {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.epoch)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok((1 << 63) + (u64::from(self.ids) << 32))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}
