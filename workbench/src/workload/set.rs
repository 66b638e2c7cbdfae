//! What the sets have in common: one by broadcast, and one that only grows.

use rand::RngExt;

use super::{Ask, Request, Requests, Rpc};
use crate::check::Check;
use crate::json::Json;
use crate::seeds::Random;

/// A request to a set: an element to add, or else a read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfSet {
    pub(crate) rpc: &'static Rpc,
    pub(crate) element: Option<u64>,
}

impl Ask for OfSet {
    fn rpc(&self) -> &'static Rpc {
        self.rpc
    }

    fn values(&self) -> Vec<Json> {
        self.element.into_iter().map(Json::from).collect()
    }
}

/// Adds of new elements and reads have even chances.
#[derive(Debug)]
pub(super) struct Mix {
    add: &'static Rpc,
    read: &'static Rpc,
    next: u64,
}

impl Mix {
    pub(super) fn new(add: &'static Rpc, read: &'static Rpc) -> Self {
        Self { add, read, next: 0 }
    }

    fn read(&self) -> Request {
        Request::new(OfSet { rpc: self.read, element: None })
    }
}

impl Requests for Mix {
    fn next(&mut self, _: usize, random: &mut Random) -> Request {
        if !random.random::<bool>() {
            return self.read();
        }
        self.next += 1;
        Request::new(OfSet { rpc: self.add, element: Some(self.next - 1) })
    }

    fn at_end(&mut self, _: usize, round: u32) -> Option<Request> {
        (round == 0).then(|| self.read())
    }
}

/// The checks of a set.
pub(super) const CHECKS: &[Check] =
    &[Check::FinalReads, Check::Answers, Check::FinalReadsAnswered, Check::Agreement, Check::ImpossibleReads];
