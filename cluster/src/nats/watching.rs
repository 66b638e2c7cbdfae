//! Watches the stream: whether it was lost, or went back to an earlier state, while this node runs.
//!
//! A node that counts finds that out without this, for its next commit conflicts. A node that does not would leave what it has
//! stored before to the memory of the nodes that run.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{Info, Stream};
use embedded::{Group, Outside};
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use super::stream;
use crate::Names;

/// How often the stream is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks at a stream now and then.
#[derive(Debug)]
pub(super) struct Watch {
    context: Context,
    names: Names,
    seen: Info,
    /// Whether the log says that there is no stream.
    is_told: bool,
    /// Whether this node is to write again what it has stored.
    must_write: bool,
}

impl Watch {
    pub(super) fn new(context: Context, names: Names, stream: &Stream) -> Self {
        Self { context, names, seen: stream.cached_info().clone(), is_told: false, must_write: false }
    }

    /// Watches for ever. Has the record written again if the stream may lack it.
    pub(super) async fn run(mut self, outside: Arc<Outside>) {
        loop {
            sleep(LOOK_EVERY).await;
            self.look().await;
            if self.must_write {
                self.write(&outside).await;
            }
        }
    }

    async fn look(&mut self) {
        match stream::find(&self.context, &self.names).await {
            Ok(Some(stream)) => {
                let now = stream.cached_info();
                if is_another(&self.seen, now) {
                    warn!("the stream has lost what it had: this node writes its record again");
                    self.must_write = true;
                }
                (self.seen, self.is_told) = (now.clone(), false);
            }
            Ok(None) if !self.is_told => {
                self.is_told = true;
                error!(
                    stream = self.names.stream(),
                    "the stream is gone: see docs/operations.md, The stream is lost. Nothing is stored until it is made again"
                );
            }
            Ok(None) => {}
            // That the servers do not answer is told elsewhere.
            Err(problem) => debug!(?problem, "the stream can't be looked at"),
        }
    }

    async fn write(&mut self, outside: &Outside) {
        match Group::only(outside.write_again().await) {
            Ok(_) => {
                self.must_write = false;
                info!("the record is written again");
            }
            Err(refused) => debug!(%refused, "the record is not written again yet"),
        }
    }
}

/// Whether a stream is not the one that was seen before, or has lost its end.
fn is_another(before: &Info, now: &Info) -> bool {
    before.created != now.created || before.state.last_sequence > now.state.last_sequence
}
