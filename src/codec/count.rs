//! One count, as messages and records write it.

use replica::Tally;
use serde::{Deserialize, Serialize};

/// A tally as it is written: a number or, with decrements, a pair.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Count {
    Up(u64),
    UpDown(u64, u64),
}

impl Count {
    pub(crate) fn tally(&self) -> Tally {
        match *self {
            Self::Up(up) => Tally { up, down: 0 },
            Self::UpDown(up, down) => Tally { up, down },
        }
    }

    pub(crate) fn of(Tally { up, down }: Tally) -> Self {
        if down == 0 { Self::Up(up) } else { Self::UpDown(up, down) }
    }
}
