//! The stream as the engine of a store.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use cluster::store::{Appended, Condition, Engine, Interrupted, Reader, Stored};

use super::{Answer, Asked, Call, CallId, Stream, Write, expected};
use crate::copy::Change;

/// A process's connection to the servers.
pub(crate) struct Client {
    stream: Rc<RefCell<Stream>>,
    process: usize,
}

/// A read that is under way.
pub(crate) struct ClientReader {
    stream: Rc<RefCell<Stream>>,
    id: CallId,
}

impl Client {
    pub(crate) fn new(stream: Rc<RefCell<Stream>>, process: usize) -> Self {
        Self { stream, process }
    }

    async fn call(&self, asked: Asked) -> (CallId, Answer) {
        let id = self.stream.borrow_mut().ask(self.process, asked);
        (id, Waiting { stream: self.stream.clone(), id }.answer().await)
    }

    /// Goes on at any time.
    pub(crate) async fn turn(&self) {
        self.call(Asked::Turn).await;
    }
}

/// Waits for the answer to a call.
struct Waiting {
    stream: Rc<RefCell<Stream>>,
    id: CallId,
}

impl Waiting {
    async fn answer(self) -> Answer {
        poll_fn(|_| self.stream.borrow_mut().fetch(self.id).map_or(Poll::Pending, Poll::Ready)).await
    }
}

/// Whoever made the call may wait no longer.
impl Drop for Waiting {
    fn drop(&mut self) {
        self.stream.borrow_mut().leave(self.id);
    }
}

impl Stream {
    fn ask(&mut self, process: usize, asked: Asked) -> CallId {
        let id = CallId { process, number: self.prints.made(process) };
        self.calls.insert(id, Call::Asked(asked));
        id
    }

    fn fetch(&mut self, id: CallId) -> Option<Answer> {
        match self.calls.get(&id)? {
            Call::Asked(_) | Call::Done(_) => None,
            Call::Heard(answer) => {
                let answer = answer.clone();
                self.calls.remove(&id);
                Some(answer)
            }
        }
    }

    /// Nobody waits for the answer any more.
    pub(super) fn leave(&mut self, id: CallId) {
        if let Some(Call::Asked(Asked::Write(write))) = self.calls.remove(&id) {
            self.adrift.insert(id, write);
        }
    }

    /// What was met on the way.
    pub(crate) fn met(&self) -> &BTreeSet<&'static str> {
        &self.met
    }
}

impl Engine for Client {
    type Reader = ClientReader;

    async fn append(&self, subject: String, payload: Vec<u8>, condition: Condition) -> Appended {
        let subject: Rc<str> = subject.into();
        let expected = expected(&subject, condition);
        let request = self.stream.borrow().running;
        let change = Change { subject, payload: payload.into() };
        match self.call(Asked::Write(Write { change, expected, request })).await.1 {
            Answer::Append(appended) => appended,
            Answer::Read(_) | Answer::Next(_) | Answer::Turn => panic!("an append is answered otherwise"),
        }
    }

    async fn read(&self, subjects: Vec<String>) -> Result<ClientReader, Interrupted> {
        match self.call(Asked::Read(subjects)).await {
            (id, Answer::Read(Ok(()))) => Ok(ClientReader { stream: self.stream.clone(), id }),
            _ => Err(Interrupted),
        }
    }

    async fn pause(&self, _time: Duration) {
        self.turn().await;
    }

    /// No note is ever too old.
    fn unix_ms(&self) -> u64 {
        0
    }
}

impl Reader for ClientReader {
    async fn next(&mut self) -> Result<Stored, Interrupted> {
        let id = self.stream.borrow_mut().ask(self.id.process, Asked::Next(self.id));
        match (Waiting { stream: self.stream.clone(), id }).answer().await {
            Answer::Next(next) => next,
            Answer::Append(_) | Answer::Read(_) | Answer::Turn => {
                panic!("a reader is answered otherwise")
            }
        }
    }
}

impl Drop for ClientReader {
    fn drop(&mut self) {
        self.stream.borrow_mut().readings.remove(&self.id);
    }
}
