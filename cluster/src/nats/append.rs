//! Appends to the stream, and what their errors mean: see decision 29.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use tracing::debug;

use crate::store::Appended;

/// Appends a message, and waits for the stream to say so.
pub(super) async fn append(context: &Context, subject: String, message: PublishMessage) -> Appended {
    let sent = context.send_publish(subject, message).await;
    let acknowledged = match sent {
        Ok(sent) => sent.await,
        Err(error) => Err(error),
    };
    match acknowledged {
        Ok(ack) => Appended::At(ack.sequence),
        Err(error) => refused(&error),
    }
}

/// What an error says of the append.
fn refused(error: &PublishError) -> Appended {
    debug!(%error, "the stream does not take a message");
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Appended::Conflict,
        // Nobody listens on the subject: the stream has no leader. Or the message was never sent.
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::MaxPayloadExceeded
        | PublishErrorKind::MaxAckPending => Appended::NotDone,
        PublishErrorKind::Other if code(error) == Some(ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT) => {
            Appended::Busy
        }
        PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::Other => Appended::Unknown,
    }
}

/// The code of JetStream in an error.
fn code(error: &PublishError) -> Option<ErrorCode> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<async_nats::jetstream::Error>().map(async_nats::jetstream::Error::error_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as the server tells it.
    fn told(code: u64) -> PublishError {
        let text = format!(r#"{{"code": 400, "err_code": {code}, "description": "no"}}"#);
        let error: async_nats::jetstream::Error = serde_json::from_str(&text).unwrap();
        PublishError::with_source(PublishErrorKind::Other, error)
    }

    #[test]
    fn a_timeout_is_no_refusal() {
        for kind in [PublishErrorKind::TimedOut, PublishErrorKind::BrokenPipe, PublishErrorKind::Other] {
            assert!(matches!(refused(&PublishError::new(kind)), Appended::Unknown), "{kind}");
        }
        for kind in [PublishErrorKind::StreamNotFound, PublishErrorKind::MaxPayloadExceeded] {
            assert!(matches!(refused(&PublishError::new(kind)), Appended::NotDone), "{kind}");
        }
        assert!(matches!(
            refused(&PublishError::new(PublishErrorKind::WrongLastSequence)),
            Appended::Conflict
        ));
        assert!(matches!(refused(&told(10_164)), Appended::Busy));
        assert!(matches!(refused(&told(10_008)), Appended::Unknown));
    }
}
