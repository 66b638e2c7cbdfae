//! Reading the stream.

use std::fmt::Display;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tokio::time::sleep;
use tracing::debug;

use crate::store::{Interrupted, Reader, Stored};

/// How many messages are under way to a reader at once.
const BATCH: usize = 64;

/// How long a reader waits for the next message.
const NEXT_WITHIN: Duration = Duration::from_secs(5);

/// How often, and after which time, a server is asked again that has not sent anything yet. The consumer may be on another server, and
/// word of it may not have come to this one.
const RETRIES: u32 = 100;
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// A reader of a stream. Once it is dropped, the server is told to forget it: else it would remember it for a while, and it remembers so
/// many only.
pub struct StreamReader {
    stream: Stream,
    consumer: PullConsumer,
    batch: Option<Batch>,
    retries: u32,
}

impl StreamReader {
    pub(super) async fn new(stream: &Stream, subjects: Vec<String>) -> Result<Self, Interrupted> {
        let config = Config {
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::None,
            filter_subjects: subjects,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: NEXT_WITHIN * 2,
            ..Config::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| interrupted(&error))?;
        Ok(Self { stream: stream.clone(), consumer, batch: None, retries: RETRIES })
    }
}

impl Reader for StreamReader {
    async fn next(&mut self) -> Result<Stored, Interrupted> {
        loop {
            let is_new = self.batch.is_none();
            let batch = match &mut self.batch {
                Some(batch) => batch,
                none => {
                    let asked = self.consumer.batch().max_messages(BATCH).expires(NEXT_WITHIN);
                    none.insert(asked.messages().await.map_err(|error| interrupted(&error))?)
                }
            };
            if let Some(message) = batch.next().await {
                let message = match message {
                    Ok(message) => message,
                    Err(_) if self.retries > 0 => {
                        self.retries -= 1;
                        self.batch = None;
                        sleep(RETRY_AFTER).await;
                        continue;
                    }
                    Err(error) => return Err(interrupted(&error)),
                };
                self.retries = 0;
                let info = message.info().map_err(|error| interrupted(&error))?;
                return Ok(Stored {
                    subject: message.subject.to_string(),
                    sequence: info.stream_sequence,
                    place: info.consumer_sequence,
                    payload: message.payload.to_vec(),
                });
            }
            self.batch = None;
            if is_new {
                return Err(interrupted(&"the server has no more"));
            }
        }
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (stream, name) = (self.stream.clone(), self.consumer.cached_info().name.clone());
        runtime.spawn(async move {
            if let Err(error) = stream.delete_consumer(&name).await {
                debug!(%error, "a reader is not forgotten: the server does so itself later");
            }
        });
    }
}

fn interrupted(problem: &dyn Display) -> Interrupted {
    debug!(%problem, "a read of the stream was interrupted");
    Interrupted
}
