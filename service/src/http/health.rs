//! Whether the server is alive, whether it is ready, and what it measures.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use embedded::{AckPolicy, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::Http;
use super::call::Call;
use super::counters::json;
use super::problem::{Kind, Problem};
use crate::access::Scope;

/// The server is well.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// The name of this node.
    node: String,
}

/// Whether the process works. If not, it must be started again. Needs no token.
#[utoipa::path(
    get, path = "/livez", tag = "operation",
    responses((status = 200, description = "It works.", body = Health)),
)]
pub(super) async fn livez(call: Call) -> Result<Response, Problem> {
    match call.counters().failure() {
        Some(failure) => Err(Problem::new(Kind::Unavailable, failure)),
        None => Ok(json(&Health { node: call.counters().status().node })),
    }
}

/// Whether changes and reads are answered now. If not, the detail says why. Needs no token.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "It is ready.", body = Health)),
)]
pub(super) async fn readyz(call: Call) -> Result<Response, Problem> {
    let status = call.counters().status();
    match why_not_ready(&call.http, &status) {
        Some(reason) => Err(Problem::new(Kind::Unavailable, reason)),
        None => Ok(json(&Health { node: status.node })),
    }
}

/// Why changes and reads are not answered now. `None`: they are.
pub(super) fn why_not_ready(http: &Http, status: &Status) -> Option<String> {
    if status.has_failed {
        return http.app.counters.failure();
    }
    let is_alone = http.app.config.nats.is_empty();
    // In a cluster other nodes may stand in for the store.
    let lacks_store = status.is_store_down && (is_alone || status.ack == Some(AckPolicy::Store));
    let reason = match (*http.stopping.borrow(), lacks_store, status.is_ready) {
        (true, _, _) => "the server is shutting down",
        (false, true, _) if is_alone => "the database takes no commits: is the disk full? The log says more",
        (false, true, _) => {
            "the NATS servers take no commits: is the stream without a leader? The log says more"
        }
        (false, false, false) => "the counters are not recovered yet",
        (false, false, true) => return None,
    };
    Some(reason.into())
}

/// What is measured, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((
        status = 200, description = "The metrics.",
        content((String = "application/openmetrics-text; version=1.0.0; charset=utf-8")),
    )),
)]
pub(super) async fn metrics(call: Call) -> Result<Response, Problem> {
    call.demand_any(Scope::Read)?;
    let http = call.http.clone();
    drop(call);
    let app = http.app.clone();
    let text =
        http.scan(move |counters| app.metrics.text(counters.status(), app.peers.look(counters), &app.config));
    let text = text.await?;
    let content_type = HeaderValue::from_static(crate::metrics::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
