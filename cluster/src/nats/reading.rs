//! Reading the stream: from a server that is known to have come far enough.
//!
//! Any server of the stream may serve a read, also one that has fallen behind. So a reader first writes a *fence*, which needs a majority.
//! Then it reads until that fence comes. Whatever was committed before is in front of it.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tracing::debug;

/// How many messages are under way to a reader at once.
const BATCH: usize = 64;

/// How long a reader waits for the next message.
const NEXT_WITHIN: Duration = Duration::from_secs(5);

/// What a reader gets.
pub(super) struct Stored {
    pub subject: String,
    pub sequence: u64,
    pub payload: Vec<u8>,
}

/// The messages of a stream were not read to the end.
#[derive(Debug)]
pub(super) struct Interrupted;

/// Hands all messages on these subjects to `take`, in the order of the stream, until one comes that is the fence or later. The subjects
/// include that of the fence. With `last_only` just the last message of each subject.
pub(super) async fn read(
    stream: &Stream,
    subjects: Vec<String>,
    (fence, last_only): (u64, bool),
    mut take: impl FnMut(Stored),
) -> Result<(), Interrupted> {
    let config = Config {
        deliver_policy: if last_only { DeliverPolicy::LastPerSubject } else { DeliverPolicy::All },
        ack_policy: AckPolicy::None,
        filter_subjects: subjects,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: NEXT_WITHIN * 2,
        ..Config::default()
    };
    let interrupted = |problem: &dyn std::fmt::Display| {
        debug!(%problem, "a read of the stream was interrupted");
        Interrupted
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| interrupted(&error))?;
    let mut expected = 1;
    loop {
        let batch = consumer.batch().max_messages(BATCH).expires(NEXT_WITHIN).messages().await;
        let mut batch = batch.map_err(|error| interrupted(&error))?;
        let before = expected;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| interrupted(&error))?;
            let info = message.info().map_err(|error| interrupted(&error))?;
            let (sequence, place) = (info.stream_sequence, info.consumer_sequence);
            // Nothing is acknowledged, so a message that gets lost on the way is not sent again.
            if place != expected {
                return Err(interrupted(&"a message got lost"));
            }
            expected += 1;
            take(Stored {
                subject: message.subject.to_string(),
                sequence,
                payload: message.payload.to_vec(),
            });
            if sequence >= fence {
                return Ok(());
            }
        }
        if expected == before {
            return Err(interrupted(&"the server has fallen behind"));
        }
    }
}
