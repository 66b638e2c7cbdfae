//! A process's random generator: the same numbers again and again, others in each incarnation.

use std::convert::Infallible;

use rand::TryRng;

/// A generator without a state of its own: so the state of a process does not depend on how often it has drawn.
///
/// Incarnations are drawn from 32 bits. Jitter, frame ids and tokens are drawn from 64, and get the middle of their range:
/// jitter is naught, and the ids of two incarnations begin at least 65,536 apart.
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
