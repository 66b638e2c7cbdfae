//! The other half of counters in a cluster: what does the replica's requests to the store, and sends its messages.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use replica::store::{Noted, Outcome, StoreRequest, Token};
use replica::{Change, Frame, Input, NodeId};

use crate::shared::Shared;
use crate::{Done, Group, Version};

/// What drives the store and the messages of counters in a cluster: see [`Options::join`](crate::Options::join).
///
/// Take one [errand](Errand) after the other with [`next`](Self::next), and do it. Several requests to the store may be under way at once.
/// Tell how each ended. Tell frames of peers too, and who is in the cluster.
///
/// ```
/// use embedded::{AckPolicy, Errand, Options};
/// use replica::store::memory::Memory;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// let options = Options { node: Some("n1".into()), ..Options::default() };
/// let (counters, outside) = options.join(std::time::Duration::from_secs(1))?;
/// outside.know([]);
/// let mut store = Memory::default();
/// let adding = counters.add("views", 3);
/// tokio::spawn(async move {
///     while let Some(errand) = outside.next().await {
///         match errand {
///             Errand::Store { token, request } => {
///                 let outcome = store.request(&"n1".into(), &request);
///                 outside.outcome(token, outcome, std::time::Duration::ZERO);
///             }
///             Errand::Send { .. } => {}
///         }
///     }
/// });
/// assert_eq!(adding.await?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Outside {
    shared: Arc<Shared>,
}

/// One thing to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// Ask the store, and tell the [outcome](Outside::outcome).
    Store {
        /// Names the request.
        token: Token,
        /// The request.
        request: StoreRequest,
    },
    /// Send a frame to a peer. It may get lost.
    Send {
        /// The peer.
        peer: NodeId,
        /// The frame.
        frame: Frame,
    },
}

impl Outside {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Waits for the next errand. `None`: the counters are closed, and all errands were given.
    pub async fn next(&self) -> Option<Errand> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Errand>> {
        let Some(mut engine) = self.shared.lock() else { return Poll::Ready(None) };
        // A request first: a client may wait for it.
        if let Some((token, request)) = engine.next_request() {
            return Poll::Ready(Some(Errand::Store { token, request }));
        }
        if let Some((peer, frame)) = engine.next_frame() {
            return Poll::Ready(Some(Errand::Send { peer, frame }));
        }
        if engine.is_done() {
            return Poll::Ready(None);
        }
        engine.outside = Some(context.waker().clone());
        Poll::Pending
    }

    /// The store has answered a request, after this time.
    pub fn outcome(&self, token: Token, outcome: Outcome, took: Duration) {
        let Some(mut engine) = self.shared.lock() else { return };
        engine.status.store.took(took, &outcome);
        engine.look_at_clock();
        engine.outcome(token, outcome);
        self.shared.release(engine);
    }

    /// A peer has sent a frame.
    pub fn receive(&self, from: NodeId, frame: Frame) {
        self.hand(Input::Peer { from, frame });
    }

    /// These nodes are the cluster, this one among them.
    pub fn list(&self, roster: BTreeSet<NodeId>) {
        self.hand(Input::Roster(roster));
    }

    /// The store has these notes. Until it is called, changes with an idempotency key are refused. Call it before the outcome of the
    /// request that has read the record, each time that the record is read.
    pub fn know(&self, notes: impl IntoIterator<Item = Noted>) {
        let Some(mut engine) = self.shared.lock() else { return };
        engine.keys.read(notes);
        self.shared.release(engine);
    }

    /// Another process runs under the name of this node, or does so no longer. While it does, changes with a new idempotency key are
    /// refused: that process may know the key.
    pub fn share_name(&self, is_shared: bool) {
        let Some(mut engine) = self.shared.lock() else { return };
        engine.is_name_shared = is_shared;
        self.shared.release(engine);
    }

    /// The store may have lost what this node has stored: it was made anew, or went back. Has the record written again, also if there
    /// is nothing new in it. The answer comes once that is done. It is refused while the store is down: ask again then.
    pub fn write_again(&self) -> Group {
        self.shared.submit(|session| session.import(Vec::new()))
    }

    /// Another node asks for a change, once for its `key`: as [`Session::change_once`](crate::Session::change_once).
    pub fn change_once(&self, key: &str, change: Change) -> Group {
        self.shared.submit(|session| session.change_once(key, change))
    }

    /// What a client has seen that is told of a change that was made here: see [`Counters::written`](crate::Counters::written).
    pub fn written(&self, done: &Done) -> Version {
        self.shared.lock().map_or_else(Version::default, |engine| engine.written(done))
    }

    fn hand(&self, input: Input) {
        let Some(mut engine) = self.shared.lock() else { return };
        engine.look_at_clock();
        engine.handle(input);
        engine.tick();
        self.shared.release(engine);
    }
}

/// Nobody does the errands any more. If the counters are not closed, that is a failure: whoever waits is told.
impl Drop for Outside {
    fn drop(&mut self) {
        let Some(mut engine) = self.shared.lock() else { return };
        if !engine.is_done() {
            engine.fail("the connection to the cluster has ended: start the process again".into());
        }
        self.shared.release(engine);
    }
}
