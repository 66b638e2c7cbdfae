//! Processes: each has a store that ships, and asks it for one thing after the other.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use cluster::Names;
use cluster::store::{Answer, Store};
use replica::store::{Changes, Note, Noted, Outcome, Ownership, Record, Revision, StoreRequest};
use replica::{NodeId, ReplicaId, Tally};

use crate::judge::Judge;
use crate::planted::{Mistake, Planted};
use crate::scenario::{Do, Runs};
use crate::stream::{Client, Stream};
use crate::woken::Woken;

type Stores = Store<Planted<Client>>;

/// What all processes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) stream: Rc<RefCell<Stream>>,
    pub(crate) judge: Rc<RefCell<Judge>>,
}

/// Something that a process does: it asks for one thing after the other, or makes a snapshot.
struct Task {
    /// What it has asked for last.
    request: Rc<Cell<Option<usize>>>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// A process.
pub(crate) struct Process {
    shared: Shared,
    tasks: Vec<Task>,
    begun: Rc<RefCell<Vec<Task>>>,
}

/// What it takes to ask a store.
struct Asker {
    shared: Shared,
    store: Rc<Stores>,
    client: Client,
    id: usize,
    node: NodeId,
    request: Rc<Cell<Option<usize>>>,
    begun: Rc<RefCell<Vec<Task>>>,
    /// How many commits this process has asked for.
    commits: Rc<Cell<u32>>,
    /// The own record, as it was found or left, and its revision.
    own: Option<(Option<Record>, Revision)>,
}

impl Process {
    pub(crate) fn begin(shared: &Shared, id: usize, runs: &Runs, most: usize, mistake: Mistake) -> Self {
        let node = NodeId::from(runs.node);
        let engine = Planted::new(Client::new(shared.stream.clone(), id), mistake);
        let store = Store::over(engine, Names::new("shop", node.clone()), most)
            .with_snapshots_every(runs.snapshots_every);
        let (store, begun, commits) = (Rc::new(store), Rc::default(), Rc::default());
        let task = |does: &&'static [Do]| {
            let asker = Asker {
                shared: shared.clone(),
                store: Rc::clone(&store),
                client: Client::new(shared.stream.clone(), id),
                id,
                node: node.clone(),
                request: Rc::default(),
                begun: Rc::clone(&begun),
                commits: Rc::clone(&commits),
                own: None,
            };
            Task { request: asker.request.clone(), future: Box::pin(asker.run(does)) }
        };
        let tasks = runs.does.iter().map(task).collect();
        let mut process = Self { shared: shared.clone(), tasks, begun };
        process.go_on();
        process
    }

    /// Does all that it can with what it has heard.
    pub(crate) fn go_on(&mut self) {
        let woken = Arc::<Woken>::default();
        let waker = woken.waker();
        loop {
            self.tasks.retain_mut(|task| {
                self.shared.stream.borrow_mut().running = task.request.get();
                task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            let mut begun = self.begun.borrow_mut();
            // What goes on or ends may leave the way free for others.
            if begun.is_empty() && !woken.take() {
                return;
            }
            self.tasks.append(&mut begun);
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }
}

impl Asker {
    async fn run(mut self, does: &'static [Do]) {
        for what in does {
            match what {
                Do::Commit => self.commit(1).await,
                Do::CommitMuch => self.commit(100).await,
                Do::Fence => drop(self.ask(StoreRequest::Fence).await),
                Do::Load(node) => drop(self.ask(StoreRequest::Load { node: (*node).into() }).await),
                Do::Nodes => drop(self.ask(StoreRequest::Nodes).await),
                Do::Seal(node) => self.seal((*node).into()).await,
            }
        }
    }

    async fn ask(&self, request: StoreRequest) -> Answer {
        // What must be found afterwards depends on when it is asked for.
        if request != StoreRequest::Open {
            self.client.turn().await;
        }
        let base = self.own.as_ref().and_then(|(record, _)| record.as_ref());
        let at = self.shared.judge.borrow_mut().asked((self.id, &self.node), &request, base);
        self.request.set(Some(at));
        self.shared.stream.borrow_mut().running = Some(at);
        let answer = self.store.request(request).await;
        self.shared.judge.borrow_mut().answered(at, &answer);
        answer
    }

    async fn commit(&mut self, length: usize) {
        if self.own.is_none()
            && let Answer { outcome: Outcome::Opened { record, revision }, .. } =
                self.ask(StoreRequest::Open).await
        {
            self.own = Some((record, revision));
        }
        let Some((record, expect)) = self.own.clone() else { return };
        let (changes, owner) = self.change(length);
        let request = StoreRequest::Commit { expect, changes: changes.clone(), owner: owner.clone() };
        let answer = self.ask(request).await;
        self.own = match answer.outcome {
            Outcome::Committed { revision } => {
                let mut record = record.unwrap_or_default();
                record.apply(&changes, owner);
                Some((Some(record), revision))
            }
            _ => None,
        };
        if self.own.is_some() && self.store.is_worth_tidying() {
            let store = self.store.clone();
            let future = Box::pin(async move { store.tidy().await });
            self.begun.borrow_mut().push(Task { request: Rc::default(), future });
        }
    }

    /// A change that no other process makes, nor this one again.
    fn change(&self, length: usize) -> (Changes, Option<Ownership>) {
        let number = self.commits.get() + 1;
        self.commits.set(number);
        let process = u32::try_from(self.id).expect("few processes");
        let incarnation = format!("{:08x}", process << 8 | number).parse().expect("eight digits");
        let replica = ReplicaId::new(&self.node, incarnation);
        let note = Note { until: u64::MAX, text: vec![0; length].into() };
        let changes = Changes {
            rows: vec![Tally { up: 1, down: 0 }.row(replica.clone())],
            notes: vec![Noted { note, value: number.into() }],
            ..Changes::default()
        };
        (changes, Some(Ownership { replica, incarnation, is_free: false }))
    }

    async fn seal(&self, node: NodeId) {
        let loaded = self.ask(StoreRequest::Load { node: node.clone() }).await;
        if let Outcome::Loaded(from) = loaded.outcome {
            self.ask(StoreRequest::Seal { node, from, rows: Vec::new() }).await;
        }
    }
}
