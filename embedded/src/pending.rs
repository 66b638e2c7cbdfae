//! The answer to one request, to be awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use replica::Reply;

use crate::{Group, Refused};

/// The answer to one request. It is a future; [`wait`](Self::wait) blocks instead. To drop it changes nothing: the request is
/// done or refused all the same.
#[derive(Debug)]
#[must_use = "whether the change is counted is known only by its answer"]
pub struct Pending<T> {
    group: Group,
    read: fn(Reply) -> T,
}

impl<T> Pending<T> {
    pub(crate) fn new(group: Group, read: fn(Reply) -> T) -> Self {
        Self { group, read }
    }

    /// Blocks until the answer is there.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why the request was not done, and whether it [may count](Refused::counted) all the same.
    pub fn wait(self) -> Result<T, Refused> {
        only(self.group.wait(), self.read)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Refused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let read = self.read;
        Pin::new(&mut self.group).poll(context).map(|answers| only(answers, read))
    }
}

fn only<T>(answers: Vec<crate::Answer>, read: fn(Reply) -> T) -> Result<T, Refused> {
    Group::only(answers).map(|done| read(done.reply))
}
