//! One counter: add, read, reset, and the totals of sources.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use embedded::{AckPolicy, Change, Name};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Http;
use super::call::{Call, PathName};
use super::levels::{Level, Read, Timeout, mark_read};
use super::number::{Number, Numbers};
use super::problem::Problem;
use crate::access::Scope;

/// What to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"delta": 3}))]
struct Add {
    /// How much. Negative: subtract.
    delta: i64,
}

/// What a source has counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"total": 41}))]
struct Report {
    /// All that the source has counted so far. A smaller total than before changes nothing.
    #[schema(minimum = 0)]
    total: u64,
}

/// A reset has no settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
struct Reset {}

/// The answer to a change of one counter.
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    /// The counter's value after it, as this node sees it. Of a reset: how much it subtracted. It is no unique number.
    value: Number,
    durability: Durability,
    /// Whether an earlier request with the same `Idempotency-Key` did it, so that this one changed nothing.
    replayed: bool,
}

/// How safe a change is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Durability {
    /// It is on this machine's disk, and survives a power cut.
    Stored,
    /// Another node has it. (On one machine there is none.)
    #[expect(dead_code, reason = "clients must know it before there are clusters")]
    Replicated,
    /// It is in memory: a crash loses it if it comes within milliseconds. The server runs with `--ack memory`.
    Memory,
}

/// A counter's value.
#[derive(Debug, Serialize, ToSchema)]
struct Value {
    /// The value, as this node sees it. 0 if nobody has counted it.
    value: Number,
}

/// How values are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Shape {
    /// `string`: values are texts, for programs that lose integers beyond 2^53.
    numbers: Numbers,
}

/// How a counter is read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Reading {
    /// `string`: values are texts, for programs that lose integers beyond 2^53.
    numbers: Numbers,
    /// `all`: wait until all nodes have told what they show. The value has every change that was acknowledged before.
    #[param(inline)]
    read: Read,
    /// Wait until the value is so large.
    #[serde(rename = "at-least")]
    #[param(required = false)]
    at_least: Option<i64>,
    /// How long to wait, for this and for what `Counter-Version` names.
    #[param(value_type = String, default = "1s", example = "500ms")]
    timeout: Timeout,
}

/// Add to a counter.
#[utoipa::path(
    post, path = "/v1/counters/{name}/add", tag = "counters", request_body = Add,
    params(("name" = String, Path, description = "The counter."), Shape),
    responses((status = 200, description = "It is counted.", body = Changed)),
)]
pub(super) async fn add(mut call: Call) -> Result<Response, Problem> {
    let name: PathName = call.path().await?;
    change(call, name, |name, Add { delta }| Change::Add(name, delta)).await
}

/// Read a counter.
#[utoipa::path(
    get, path = "/v1/counters/{name}", tag = "counters",
    params(("name" = String, Path, description = "The counter."), Reading),
    responses((status = 200, description = "Its value.", body = Value)),
)]
pub(super) async fn read(mut call: Call) -> Result<Response, Problem> {
    let name: PathName = call.path().await?;
    call.demand(Scope::Read, &name)?;
    let Reading { numbers, read, at_least, timeout } = call.query()?;
    let name: Name = name.into();
    let level = Level { read, at_least: at_least.map(|value| (name.clone(), value)), timeout };
    let seen = call.reach(level).await?;
    let done = call.read(&name).await?;
    let body = json(&Value { value: Number(done.reply.value(), numbers) });
    Ok(mark_read(body, call.counters(), Some(&name), &seen))
}

/// Reset a counter: subtract what this node sees of it. Adds that it does not see yet survive.
#[utoipa::path(
    post, path = "/v1/counters/{name}/reset", tag = "counters", request_body = Reset,
    params(("name" = String, Path, description = "The counter."), Shape),
    responses((status = 200, description = "It is reset.", body = Changed)),
)]
pub(super) async fn reset(mut call: Call) -> Result<Response, Problem> {
    let name: PathName = call.path().await?;
    change(call, name, |name, Reset {}| Change::Reset(name)).await
}

/// Report the running total of a source. The counter takes the largest total that it has heard of each source, so a report may be
/// repeated.
#[utoipa::path(
    put, path = "/v1/counters/{name}/sources/{source}", tag = "counters", request_body = Report,
    params(
        ("name" = String, Path, description = "The counter."),
        ("source" = String, Path, description = "Whoever counts, by a name that no other has."),
        Shape,
    ),
    responses((status = 200, description = "It is counted.", body = Changed)),
)]
pub(super) async fn report(mut call: Call) -> Result<Response, Problem> {
    let (name, source): (PathName, PathName) = call.path().await?;
    change(call, name, |counter, Report { total }| Change::Report { counter, source: source.into(), total })
        .await
}

/// Does the change that the body asks for.
async fn change<B: DeserializeOwned>(
    mut call: Call,
    name: PathName,
    of: impl FnOnce(Name, B) -> Change,
) -> Result<Response, Problem> {
    call.demand(Scope::Add, &name)?;
    let Shape { numbers } = call.query()?;
    let body = call.json().await?;
    let seen = call.seen_before_change()?;
    let made = call.change(of(name.into(), body)).await?;
    let (value, durability) = (Number(made.done.reply.value(), numbers), made.durability);
    let body = json(&Changed { value, durability, replayed: made.done.is_replayed });
    Ok(made.mark(body, &call.http, seen))
}

/// How safe a change is once it is acknowledged.
pub(super) fn durability(http: &Http) -> Durability {
    http.app.config.ack.into()
}

impl From<AckPolicy> for Durability {
    fn from(ack: AckPolicy) -> Self {
        match ack {
            AckPolicy::Store | AckPolicy::Durable => Self::Stored,
            AckPolicy::Memory => Self::Memory,
        }
    }
}

/// An answer in JSON.
pub(super) fn json(body: &impl Serialize) -> Response {
    // What is written has texts as keys, so there is nothing that can fail.
    let text = serde_json::to_vec(body).unwrap_or_default();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}
