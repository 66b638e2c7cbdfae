//! How the node is doing, for the dashboard and for scripts.

use std::time::Duration;

use axum::response::Response;
use embedded::AckPolicy;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::Call;
use super::counters::{Durability, durability, json};
use super::health::why_not_ready;
use super::problem::Problem;
use crate::access::Scope;

/// How the node is doing. What is counted, is counted since the start of the process.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// The name of this node.
    node: String,
    /// The version of the program.
    version: &'static str,
    ack: Ack,
    /// How safe a change is once it is acknowledged.
    durability: Durability,
    /// Whether changes and reads are answered now.
    ready: bool,
    /// Why not.
    #[schema(required)]
    reason: Option<String>,
    /// How long the process has run, in seconds.
    uptime_seconds: f64,
    /// How many counters there are, those that were reset among them.
    counters: usize,
    /// How many changes are counted and not known to be stored. With `--ack memory` a crash loses them.
    unstored: u64,
    /// How many idempotency keys are remembered.
    keys: usize,
    /// Requests, of all protocols.
    requests: Requests,
    /// Commits to the database.
    commits: Commits,
    /// How many bytes the database has.
    database_bytes: u64,
    /// How many bytes of it are not folded into rows yet.
    unfolded_bytes: u64,
}

/// When a change is acknowledged, as `--ack` says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Ack {
    /// Once it is on disk.
    Store,
    /// Once it is on disk, or, while the disk does not answer, on another node.
    Durable,
    /// At once. It is stored a moment later.
    Memory,
}

impl From<AckPolicy> for Ack {
    fn from(policy: AckPolicy) -> Self {
        match policy {
            AckPolicy::Store => Self::Store,
            AckPolicy::Durable => Self::Durable,
            AckPolicy::Memory => Self::Memory,
        }
    }
}

/// Requests, of all protocols.
#[derive(Debug, Serialize, ToSchema)]
struct Requests {
    /// How many were done.
    done: u64,
    /// How many of them were done before, by a request with the same key.
    replayed: u64,
    /// How many were refused, and not counted.
    refused: u64,
    /// How many were refused, and may count.
    uncertain: u64,
}

/// Commits to the database.
#[derive(Debug, Serialize, ToSchema)]
struct Commits {
    /// How many were done.
    count: u64,
    /// How many times the disk was synced.
    syncs: u64,
    /// How many changes of this node's replica are stored, all in all. With `unstored`: how many it has counted.
    changes: u64,
    /// How long they took, all together, in seconds.
    seconds: f64,
}

/// How the node is doing.
#[utoipa::path(
    get, path = "/v1/status", tag = "operation",
    responses((status = 200, description = "How the node is doing.", body = Status)),
)]
pub(super) async fn status(call: Call) -> Result<Response, Problem> {
    call.demand_any(Scope::Read)?;
    let status = call.counters().status();
    let reason = why_not_ready(&call.http, &status);
    let embedded::Status {
        node, counters, unstored, keys, done, replayed, refused, uncertain, store, ..
    } = status;
    let commits = Commits {
        count: store.commits,
        syncs: store.syncs,
        changes: store.committed,
        seconds: Duration::from_nanos(store.commit_times.nanos).as_secs_f64(),
    };
    Ok(json(&Status {
        node,
        version: env!("CARGO_PKG_VERSION"),
        ack: call.http.app.config.ack.into(),
        durability: durability(&call.http),
        ready: reason.is_none(),
        reason,
        uptime_seconds: call.http.app.started.elapsed().as_secs_f64(),
        counters,
        unstored,
        keys,
        requests: Requests { done, replayed, refused, uncertain },
        commits,
        database_bytes: store.bytes,
        unfolded_bytes: store.unfolded,
    }))
}
