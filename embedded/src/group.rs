//! The answers of requests that were submitted together.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use replica::Reply;

use crate::Refused;

/// The answer to one request.
pub type Answer = Result<Done, Refused>;

/// A request was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The reply.
    pub reply: Reply,
    /// Whether an earlier request with the same idempotency key did it.
    pub is_replayed: bool,
    /// The number of the last change of this node's replica that was as durable as the policy demands when this was answered: of this
    /// change, or a later one. See [`Counters::written`](crate::Counters::written).
    pub number: u64,
}

impl Done {
    /// A request was done. The number is filled in when it is answered.
    pub(crate) fn new(reply: Reply, is_replayed: bool) -> Self {
        Self { reply, is_replayed, number: 0 }
    }
}

/// The answers of requests that were submitted together, in their order. It is a future; [`wait`](Self::wait) blocks instead.
///
/// To drop it changes nothing: the requests are done or refused all the same.
#[derive(Debug)]
pub struct Group(Inner);

#[derive(Debug)]
enum Inner {
    Ready(Vec<Answer>),
    Waiting(Arc<Waiting>),
}

/// A group that still waits for answers.
#[derive(Debug)]
pub(crate) struct Waiting(Mutex<Answers>);

#[derive(Debug)]
struct Answers {
    places: Vec<Option<Answer>>,
    missing: usize,
    waker: Option<Waker>,
}

impl Group {
    pub(crate) fn ready(answers: Vec<Answer>) -> Self {
        Self(Inner::Ready(answers))
    }

    pub(crate) fn waiting(waiting: Arc<Waiting>) -> Self {
        Self(Inner::Waiting(waiting))
    }

    /// The answer of a group with one request.
    ///
    /// # Errors
    ///
    /// That of the request. [`Refused::Failed`] if there is no answer.
    pub fn only(answers: Vec<Answer>) -> Answer {
        answers.into_iter().next().unwrap_or(Err(Refused::Failed))
    }

    /// Blocks until all answers are there.
    pub fn wait(mut self) -> Vec<Answer> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answers) = Pin::new(&mut self).poll(&mut context) {
                return answers;
            }
            thread::park();
        }
    }
}

impl Future for Group {
    type Output = Vec<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<Answer>> {
        match &mut self.0 {
            Inner::Ready(answers) => Poll::Ready(std::mem::take(answers)),
            Inner::Waiting(waiting) => waiting.poll(context.waker()),
        }
    }
}

impl Waiting {
    pub(crate) fn new(answers: Vec<Option<Answer>>, missing: usize) -> Self {
        Self(Mutex::new(Answers { places: answers, missing, waker: None }))
    }

    /// Takes an answer. Returns the waker of whoever waits, if it was the last that was missing, and whether it was.
    pub(crate) fn answer(&self, place: usize, answer: Answer) -> (Option<Waker>, bool) {
        let mut answers = self.lock();
        if let Some(slot @ None) = answers.places.get_mut(place) {
            *slot = Some(answer);
            answers.missing -= 1;
        }
        let is_complete = answers.missing == 0;
        (if is_complete { answers.waker.take() } else { None }, is_complete)
    }

    /// Refuses what is not answered yet: nothing will ever be answered any more.
    pub(crate) fn fail(&self) -> Option<Waker> {
        let mut answers = self.lock();
        answers.missing = 0;
        for answer in &mut answers.places {
            answer.get_or_insert(Err(Refused::FailedMeanwhile));
        }
        answers.waker.take()
    }

    fn poll(&self, waker: &Waker) -> Poll<Vec<Answer>> {
        let mut answers = self.lock();
        if answers.missing > 0 {
            answers.waker = Some(waker.clone());
            return Poll::Pending;
        }
        let all = std::mem::take(&mut answers.places);
        Poll::Ready(all.into_iter().flatten().collect())
    }

    /// No code that holds the lock can panic half way: a poisoned lock is as good as any.
    fn lock(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
