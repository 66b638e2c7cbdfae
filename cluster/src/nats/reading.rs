//! Reading the stream.

use std::ops::ControlFlow;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;
use tracing::debug;

use crate::store::{Interrupted, Stored};

/// How many messages are under way to a reader at once.
const BATCH: usize = 64;

/// How long a reader waits for the next message.
const NEXT_WITHIN: Duration = Duration::from_secs(5);

/// As [`Engine::read`](crate::store::Engine::read) says.
pub(super) async fn read(
    stream: &Stream,
    subjects: Vec<String>,
    last_only: bool,
    mut take: impl FnMut(Stored) -> ControlFlow<()>,
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
    loop {
        let batch = consumer.batch().max_messages(BATCH).expires(NEXT_WITHIN).messages().await;
        let mut batch = batch.map_err(|error| interrupted(&error))?;
        let mut has_come = false;
        while let Some(message) = batch.next().await {
            has_come = true;
            let message = message.map_err(|error| interrupted(&error))?;
            let info = message.info().map_err(|error| interrupted(&error))?;
            let stored = Stored {
                subject: message.subject.to_string(),
                sequence: info.stream_sequence,
                place: info.consumer_sequence,
                payload: message.payload.to_vec(),
            };
            if take(stored).is_break() {
                return Ok(());
            }
        }
        if !has_come {
            return Err(interrupted(&"the server has fallen behind"));
        }
    }
}
