//! The model as the engine of a store.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use cluster::store::{Appended, Condition, Engine, Interrupted, Reader, Stored};

use super::copy::Change;
use super::{Answered, CallId, JetStream};

/// A client of the servers.
#[derive(Clone)]
pub(crate) struct Client(pub(super) Rc<RefCell<JetStream>>);

impl Client {
    async fn answer(&self, id: CallId) -> Answered {
        poll_fn(|_| match self.0.borrow().fetch(id) {
            Some(answered) => Poll::Ready(answered),
            None => Poll::Pending,
        })
        .await
    }
}

/// A read that is under way.
pub(crate) struct ClientReader {
    client: Client,
    id: CallId,
}

impl Reader for ClientReader {
    async fn next(&mut self) -> Result<Stored, Interrupted> {
        poll_fn(|_| {
            let mut model = self.client.0.borrow_mut();
            match model.take_message(self.id) {
                Some(message) => Poll::Ready(Ok(message)),
                None if model.fetch(self.id).is_some() => Poll::Ready(Err(Interrupted)),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Drop for ClientReader {
    fn drop(&mut self) {
        self.client.0.borrow_mut().end(self.id);
    }
}

impl Engine for Client {
    type Reader = ClientReader;

    async fn append(&self, subject: String, payload: Vec<u8>, condition: Condition) -> Appended {
        let change = Change { subject: subject.into(), payload: payload.into() };
        let id = self.0.borrow_mut().ask(change, condition);
        match self.answer(id).await {
            Answered::Append(appended) => appended,
            Answered::Read(_) | Answered::Paused => panic!("an append is answered otherwise"),
        }
    }

    async fn read(&self, subjects: Vec<String>) -> Result<ClientReader, Interrupted> {
        let id = self.0.borrow_mut().read(subjects);
        Ok(ClientReader { client: self.clone(), id })
    }

    async fn pause(&self, time: Duration) {
        let id = self.0.borrow_mut().pause(time);
        self.answer(id).await;
        self.0.borrow_mut().end(id);
    }

    /// Notes are numbered in these worlds. None is ever too old.
    fn unix_ms(&self) -> u64 {
        0
    }
}
