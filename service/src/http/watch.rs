//! Changes as they come, as server-sent events.

use std::convert::Infallible;
use std::vec;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use embedded::{Name, Watch};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::ToSchema;

use super::call::Call;
use super::list::{Counter, MAX_PAGE, Page, Which, page, with_numbers};
use super::number::Numbers;
use super::problem::{Kind, Problem};
use crate::access::Scope;

/// How many clients may watch at once. Each looks at all changes ten times a second.
pub(super) const MAX_WATCHERS: usize = 256;

/// Counters that have changed.
#[derive(Debug, Serialize, ToSchema)]
struct Change {
    /// The counters and their values. One that was reset has the value 0.
    counters: Vec<Counter>,
}

/// A client that watches.
struct Watching {
    watch: Watch,
    first: Option<Page>,
    /// What has changed and is not told yet.
    changed: vec::IntoIter<(Name, i128)>,
    numbers: Numbers,
    stopping: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

/// Watch counters. The first event is a `snapshot`: a page of counters, as `GET /v1/counters` answers. Then come `change` events, at
/// most each tenth of a second: the counters that have changed since.
#[utoipa::path(
    get, path = "/v1/watch", tag = "counters", params(Which),
    responses((
        status = 200,
        description = "Events `snapshot` (a page) and `change` (counters and their values).",
        content((Page = "text/event-stream")),
    )),
)]
pub(super) async fn watch(call: Call) -> Result<Response, Problem> {
    let which: Which = call.query()?;
    call.demand(Scope::Read, &which.prefix)?;
    let http = call.http.clone();
    drop(call);
    let permit = http
        .watchers
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Kind::TooMany, format!("{MAX_WATCHERS} clients watch already")))?;
    // The watch begins before the snapshot is read, so no change falls between them.
    let watch = http.app.counters.watch(&which.prefix);
    let numbers = which.numbers;
    let first = Some(page(&http, which).await?);
    let stopping = http.stopping.clone();
    let changed = Vec::new().into_iter();
    let watching = Watching { watch, first, changed, numbers, stopping, _permit: permit };
    let events = stream::unfold(watching, async |mut watching| {
        let event = watching.next().await?;
        Some((Ok::<_, Infallible>(event), watching))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Watching {
    /// The next event. `None`: the server ends.
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(event("snapshot", &first));
        }
        if self.changed.len() == 0 {
            let changed = tokio::select! {
                changed = self.watch.changes() => changed?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            };
            self.changed = changed.into_iter();
        }
        let some = self.changed.by_ref().take(MAX_PAGE);
        Some(event("change", &Change { counters: with_numbers(some, self.numbers) }))
    }
}

fn event(name: &'static str, data: &impl Serialize) -> Event {
    // What is written has texts as keys, so there is nothing that can fail.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
