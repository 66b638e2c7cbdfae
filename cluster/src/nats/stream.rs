//! The stream: makes it, or checks that one that is there can be trusted with counts.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};

use super::inspect::StreamState;
use crate::Names;

/// Why the stream can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoStream {
    /// The servers do not say for now. Ask again.
    NotNow(String),
    /// Asking again does not help. Says what to do.
    Never(String),
}

/// The stream of the cluster, or of the site. It is made if there is none, with so many copies; with one where only one server can have it.
///
/// # Errors
///
/// [`NoStream`]. A stream that could lose counts is refused, and left as it is.
pub async fn open_stream(context: &Context, names: &Names, replicas: usize) -> Result<Stream, NoStream> {
    let stream = match find(context, names).await? {
        Some(stream) => stream,
        None => create(context, names, replicas).await?,
    };
    match fault(&stream.cached_info().config, names) {
        None => Ok(stream),
        Some(fault) => {
            let name = names.stream();
            Err(NoStream::Never(format!(
                "the stream {name} {fault}. Nothing was changed: make it anew, or let counterd make it"
            )))
        }
    }
}

/// The stream as it is, if there is one.
///
/// # Errors
///
/// [`NoStream`]: it is not known.
pub(super) async fn look(context: &Context, names: &Names) -> Result<Option<StreamState>, NoStream> {
    let Some(stream) = find(context, names).await? else { return Ok(None) };
    let info = stream.cached_info();
    let others = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    let behind = others.filter(|other| other.offline || !other.current).map(|other| other.name.clone());
    Ok(Some(StreamState {
        name: names.stream(),
        fault: fault(&info.config, names).map(ToOwned::to_owned),
        copies: info.config.num_replicas,
        behind: behind.collect(),
    }))
}

/// The stream, if there is one.
///
/// # Errors
///
/// [`NoStream`]: it is not known.
pub(super) async fn find(context: &Context, names: &Names) -> Result<Option<Stream>, NoStream> {
    match context.get_stream(names.stream()).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(code) if code.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED
                    || error.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT =>
            {
                // It may be configured any time.
                let problem =
                    "the NATS servers have no JetStream for this account: start nats-server with -js";
                Err(NoStream::NotNow(problem.into()))
            }
            _ => Err(NoStream::NotNow(format!(
                "the NATS servers do not answer for JetStream: {error}. Each needs it (nats-server -js), and most must run"
            ))),
        },
    }
}

async fn create(context: &Context, names: &Names, replicas: usize) -> Result<Stream, NoStream> {
    let mut created = context.create_stream(config(names, replicas)).await;
    // A server that is connected to other sites tells of a cluster even if it is alone.
    if matches!(&created, Err(error) if is_for_one_copy(error.kind())) {
        created = context.create_stream(config(names, 1)).await;
    }
    created.map_err(|error| NoStream::NotNow(format!("the stream {} can't be made: {error}", names.stream())))
}

/// Whether there is no second server that could have a copy.
fn is_for_one_copy(kind: CreateStreamErrorKind) -> bool {
    matches!(kind, CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED)
}

fn config(names: &Names, replicas: usize) -> Config {
    Config {
        name: names.stream(),
        subjects: vec![names.stored()],
        description: Some("The records of counterd's nodes. Do not write to it".into()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        // A server that has fallen behind would answer a direct read, and miss counts.
        allow_direct: false,
        // With one of these rights a node could remove what others have written.
        allow_rollup: false,
        deny_delete: true,
        deny_purge: true,
        max_messages: -1,
        max_bytes: -1,
        // A message replaces the one before on its subject, and no other.
        max_messages_per_subject: 1,
        ..Config::default()
    }
}

/// Why counts would not be safe in a stream that is set up so.
fn fault(config: &Config, names: &Names) -> Option<&'static str> {
    [
        (config.allow_direct, "has allow_direct: a server that has fallen behind could answer, so acknowledged adds could go unseen"),
        (config.no_ack, "has no_ack: it never says what is stored"),
        (config.sealed, "is sealed: nothing can be stored"),
        (config.retention != RetentionPolicy::Limits, "does not keep messages by limits: it would lose what was read"),
        (config.max_messages > 0 || !config.max_age.is_zero(), "removes old messages by their number or age: it would lose counts"),
        (config.max_bytes > 0 && config.discard == DiscardPolicy::Old, "removes old messages when it is full: it would lose counts"),
        (config.max_messages_per_subject != 1 || config.discard_new_per_subject, "does not replace the message of a subject (max_msgs_per_subject: 1): a node could not store, or the stream would grow without end"),
        (config.allow_message_schedules, "allows schedules: any node could write in the name of another"),
        (config.allow_rollup, "allows rollups: any node could remove the records of all"),
        (!config.subjects.contains(&names.stored()), "does not have the subjects of this cluster"),
        (config.subject_transform.is_some(), "has a subject transform: records would get other names"),
    ]
    .into_iter()
    .find_map(|(is_fault, text)| is_fault.then_some(text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::SubjectTransform;

    use super::*;

    /// What makes a stream unsafe, and a word of the reason that is told.
    type Fault = (&'static str, fn(&mut Config));

    #[test]
    fn each_fault_is_named() {
        let names = Names::new("shop", "n1".into());
        let faults: [Fault; 12] = [
            ("allow_direct", |config| config.allow_direct = true),
            ("no_ack", |config| config.no_ack = true),
            ("sealed", |config| config.sealed = true),
            ("by limits", |config| config.retention = RetentionPolicy::Interest),
            ("number", |config| config.max_messages = 1),
            ("age", |config| config.max_age = Duration::from_secs(1)),
            ("full", |config| (config.max_bytes, config.discard) = (1, DiscardPolicy::Old)),
            ("max_msgs_per_subject", |config| config.max_messages_per_subject = 2),
            ("schedules", |config| config.allow_message_schedules = true),
            ("rollups", |config| config.allow_rollup = true),
            ("subjects", |config| config.subjects.clear()),
            ("transform", |config| {
                let (source, destination) = (">".into(), "other.>".into());
                config.subject_transform = Some(SubjectTransform { source, destination });
            }),
        ];
        assert_eq!(fault(&config(&names, 3), &names), None);
        for (word, change) in faults {
            let mut config = config(&names, 3);
            change(&mut config);
            assert!(fault(&config, &names).is_some_and(|fault| fault.contains(word)), "{word}");
        }
    }
}
