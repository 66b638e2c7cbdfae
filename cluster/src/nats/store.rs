//! JetStream as the engine of a store.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::context::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;

use super::reading::StreamReader;
use super::{append, clock};
use crate::Names;
use crate::store::{Appended, Condition, Engine, Interrupted};

pub use crate::store::Answer;

/// How many bytes of a message are its subject and headers, at most.
const ENVELOPE: usize = 1 << 10;

/// The subject that an expected last sequence number is of, if it is another one than that of the message.
const EXPECTED_LAST_OF: &str = "Nats-Expected-Last-Subject-Sequence-Subject";

/// A stream of JetStream.
#[derive(Debug)]
pub struct JetStream {
    context: Context,
    stream: Stream,
}

/// The records of a cluster in a stream.
pub type Store = crate::store::Store<JetStream>;

impl Store {
    /// The store in this stream. A message may have `max_payload` bytes, as the server says.
    pub fn new(context: Context, stream: Stream, names: Names, max_payload: usize) -> Self {
        Self::over(JetStream { context, stream }, names, max_payload.saturating_sub(ENVELOPE))
    }
}

impl Engine for JetStream {
    type Reader = StreamReader;

    async fn append(&self, subject: String, payload: Vec<u8>, condition: Condition) -> Appended {
        let message = PublishMessage::build().payload(payload.into());
        let message = match condition {
            Condition::None => message,
            Condition::After(last) => message.expected_last_subject_sequence(last),
            Condition::AfterOn(other, last) => {
                let mut headers = HeaderMap::new();
                headers.insert(EXPECTED_LAST_OF, other);
                message.headers(headers).expected_last_subject_sequence(last)
            }
        };
        append::append(&self.context, subject, message).await
    }

    async fn read(&self, subjects: Vec<String>) -> Result<StreamReader, Interrupted> {
        StreamReader::new(&self.stream, subjects).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn unix_ms(&self) -> u64 {
        clock::unix_ms()
    }
}
