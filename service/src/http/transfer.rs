//! Export and import.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use embedded::ImportError;
use futures_util::{Stream, TryStreamExt, stream};
use serde::Serialize;
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::ToSchema;

use super::call::Call;
use super::counters::json;
use super::problem::{Kind, Problem};
use crate::access::Scope;

/// How long an import may wait for its next piece.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// What was imported.
#[derive(Debug, Serialize, ToSchema)]
struct Imported {
    /// How many replicas: one for each node that has ever counted.
    replicas: usize,
    /// How many counters they have, each counted once for each replica.
    counters: usize,
}

/// Export all that this node holds, as lines of JSON. Adds go on meanwhile.
#[utoipa::path(
    get, path = "/v1/export", tag = "operation",
    responses((
        status = 200, description = "Lines of JSON, to be imported.", content((String = "application/x-ndjson")),
    )),
)]
pub(super) async fn export(call: Call) -> Result<Response, Problem> {
    call.demand(Scope::Admin, "")?;
    let http = call.http.clone();
    drop(call);
    let lines = stream::try_unfold(http.app.counters.export(), move |mut export| {
        let http = http.clone();
        async move {
            let next = http.scan(move |_| (export.next(), export)).await;
            let (lines, export) = next.map_err(|_| io::Error::other("the export has failed"))?;
            match (lines, http.app.counters.failure()) {
                (Some(lines), _) => Ok(Some((lines, export))),
                (None, None) => Ok(None),
                // So that the client sees that lines are missing.
                (None, Some(failure)) => Err(io::Error::other(failure)),
            }
        }
    });
    let content_type = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(lines)).into_response())
}

/// Merge what was exported, here or elsewhere. No count is lowered; what is known already changes nothing. All is merged, or nothing.
#[utoipa::path(
    post, path = "/v1/import", tag = "operation",
    request_body(content = String, content_type = "application/x-ndjson", description = "The lines of an export."),
    responses((status = 200, description = "It is merged.", body = Imported)),
)]
pub(super) async fn import(mut call: Call) -> Result<Response, Problem> {
    call.demand(Scope::Admin, "")?;
    call.must_be("application/x-ndjson")?;
    let http = call.http.clone();
    let _alone = http
        .importing
        .try_acquire()
        .map_err(|_| Problem::new(Kind::TooMany, "another import is running: try again when it is done"))?;
    let lines = StreamReader::new(within(call.stream()));
    drop(call);
    let counters = http.app.counters.clone();
    let lines = SyncIoBridge::new(Box::pin(lines));
    let merged = tokio::task::spawn_blocking(move || counters.import(lines)).await;
    let merged =
        merged.map_err(|_| Problem::new(Kind::Unavailable, "the import has failed: nothing was merged"))?;
    let merged = merged.map_err(|error| match error {
        ImportError::Refused(refused) => Problem::from(refused),
        ImportError::Line(..) => Problem::malformed(format!("{error}: nothing was merged")),
        ImportError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Problem::new(Kind::TooSlow, "the body did not come in time: nothing was merged")
        }
        ImportError::Io(_) => Problem::malformed("the body was cut off: nothing was merged"),
    })?;
    Ok(json(&Imported { replicas: merged.replicas, counters: merged.counters }))
}

/// The same, but the wait for each piece is bounded.
fn within(body: axum::body::BodyDataStream) -> impl Stream<Item = io::Result<axum::body::Bytes>> {
    stream::try_unfold(body, async |mut body| {
        let piece = tokio::time::timeout(PIECE_WITHIN, body.try_next()).await;
        let piece = piece.map_err(|_| io::ErrorKind::TimedOut)?.map_err(io::Error::other)?;
        Ok(piece.map(|piece| (piece, body)))
    })
}
