//! Watching counters change.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crdt::VersionVector;
use replica::{Name, ReplicaId, RowDelta, Rows};

use crate::shared::Shared;

/// Changes are told no more often than this.
pub(crate) const COALESCED: Duration = Duration::from_millis(100);

/// Counters that have changed, each with its value.
pub type Watched = Vec<(Name, i128)>;

/// Tells which counters with a prefix have changed: see [`Counters::watch`](crate::Counters::watch).
///
/// Changes of a tenth of a second are told together, each counter once. A watcher that is slow is told less often, and
/// misses no counter.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    prefix: String,
    known: VersionVector<ReplicaId>,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, prefix: &str) -> Self {
        let known = shared.lock().map(|engine| engine.rows().versions().clone()).unwrap_or_default();
        Self { shared, prefix: prefix.into(), known }
    }

    /// What has changed since the last time. `None` once the counters are closed.
    ///
    /// Costs a look at each counter that has changed, whatever its name.
    pub fn poll_changes(&mut self) -> Option<Watched> {
        let engine = self.shared.lock()?;
        if engine.is_done() {
            return None;
        }
        let rows = engine.rows();
        if self.known == *rows.versions() {
            return Some(Vec::new());
        }
        let news = rows.delta_since(&self.known);
        self.known = rows.versions().clone();
        Some(changed(rows, &news, &self.prefix))
    }

    /// Waits for changes, and returns them. `None` once the counters are closed.
    pub async fn changes(&mut self) -> Option<Watched> {
        loop {
            let changes = self.poll_changes()?;
            if !changes.is_empty() {
                return Some(changes);
            }
            let mut has_waited = false;
            let shared = self.shared.clone();
            poll_fn(move |context| {
                if std::mem::replace(&mut has_waited, true) {
                    return Poll::Ready(());
                }
                register(&shared, context.waker())
            })
            .await;
        }
    }
}

fn register(shared: &Shared, waker: &Waker) -> Poll<()> {
    let Some(mut engine) = shared.lock() else { return Poll::Ready(()) };
    if engine.is_done() {
        return Poll::Ready(());
    }
    engine.watchers.push(waker.clone());
    shared.release(engine);
    shared.time.notify_one();
    Poll::Pending
}

fn changed(rows: &Rows, news: &[RowDelta], prefix: &str) -> Watched {
    let mut changed = BTreeMap::new();
    for delta in news {
        for item in delta.items() {
            let name = item.name.or_else(|| rows.name_of(delta.actor(), item.slot));
            if let Some(name) = name.filter(|name| name.starts_with(prefix)) {
                changed.entry(name.to_owned()).or_insert_with(|| rows.value(name));
            }
        }
    }
    changed.into_iter().map(|(name, value)| (name.into(), value)).collect()
}
