//! What clients ask for in a world with many counters.

use replica::{Change, Name, Request};

use crate::setup::Setup;

/// What a client asks for. It adds [so much](Setup::delta).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Add(&'static str),
    /// To both counters at once.
    Batch(&'static str, &'static str),
    Reset(&'static str),
}

impl Wish {
    /// The counters that it adds to.
    pub(crate) fn adds_to(self) -> Vec<&'static str> {
        match self {
            Self::Add(counter) => vec![counter],
            Self::Batch(one, other) => vec![one, other],
            Self::Reset(_) => Vec::new(),
        }
    }

    /// The counter that it resets.
    pub(crate) fn resets(self) -> Option<&'static str> {
        match self {
            Self::Reset(counter) => Some(counter),
            Self::Add(_) | Self::Batch(..) => None,
        }
    }
}

impl Setup {
    /// What the client asks for.
    pub(crate) fn request(&self, change: usize) -> Request {
        let delta = Self::delta(change);
        let Some(wish) = self.wishes.get(change) else { return Request::add(delta) };
        Request::Change(match *wish {
            Wish::Add(counter) => Change::Add(counter.into(), delta),
            Wish::Batch(one, other) => Change::adds([(one.into(), delta), (other.into(), delta)]),
            Wish::Reset(counter) => Change::Reset(counter.into()),
        })
    }

    /// Whether counters have names, and what was counted stands in a [ledger](crate::ledger).
    pub(crate) fn is_named(&self) -> bool {
        !self.wishes.is_empty()
    }

    /// The counters, each once.
    pub(crate) fn counters(&self) -> Vec<Name> {
        let mut counters: Vec<&str> = self.wishes.iter().flat_map(|wish| wish.adds_to()).collect();
        counters.sort_unstable();
        counters.dedup();
        counters.into_iter().map(Name::from).collect()
    }
}
