//! The random generator of an incarnation. It gives the same numbers again and again, others to each incarnation.

use std::convert::Infallible;

use rand::TryRng;

/// A generator without a state, so that a node's state says all there is to say of it.
///
/// The incarnation's number is drawn from 32 bits. Message ids and jitter are drawn from 64 bits, half of the range: so
/// jitter is zero, and the message ids of two incarnations begin 65,536 apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Generator {
    pub(crate) incarnation: u32,
    pub(crate) ids: u16,
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.incarnation)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok((1 << 63) + (u64::from(self.ids) << 32))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}
