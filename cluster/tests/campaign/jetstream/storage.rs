//! The store that ships, over the model, as the store of a world.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cluster::Names;
use cluster::nats::Answer;
use cluster::store::Store;
use rand::RngExt;
use rand::rngs::SmallRng;
use replica::store::{Outcome, Token};

use super::engine::Client;
use super::truth::Truth;
use super::{Event, JetStream, Met, Tally};
use crate::planted::{Mistake, Planted};
use crate::woken::Woken;
use crate::world::ledger::name;
use crate::world::plan::{Outage, Plan, ms};
use crate::world::process::{Phase, Process};
use crate::world::records::Records;
use crate::world::storage::{Asked, Next, Progress, Storage};

type Stores = Store<Planted<Client>>;

/// A request to a store that is under way, or a snapshot that is being made.
struct Task {
    id: u64,
    process: usize,
    token: Option<Token>,
    future: Pin<Box<dyn Future<Output = Option<Answer>>>>,
}

/// The stores of all processes, and the servers.
pub(crate) struct OverJetStream {
    model: Rc<RefCell<JetStream>>,
    truth: Truth,
    seen: usize,
    stores: BTreeMap<usize, Rc<Stores>>,
    tasks: Vec<Task>,
    last_task: u64,
    new: BTreeSet<usize>,
    /// The bytes of a message, and of a log that is worth a snapshot.
    sizes: (usize, usize),
    mistake: Mistake,
    slack: Duration,
}

/// What is left of a model once its world is gone.
#[derive(Clone)]
pub(crate) struct Left(Rc<RefCell<JetStream>>);

impl Left {
    pub(crate) fn tally(&self) -> Tally {
        self.0.borrow().tally.clone()
    }

    pub(crate) fn note(&self, met: Met) {
        self.0.borrow_mut().tally.note(met);
    }
}

impl OverJetStream {
    pub(crate) fn new(plan: &Plan, mistake: Mistake, is_loud: bool) -> (Self, Left) {
        let mut model = JetStream::new(plan, is_loud);
        // A cluster that counts much in tiny pieces with a slow store would not get anything stored in time.
        let is_quick = plan.store_delay < ms(40) && plan.names.len() < 100;
        let least = if is_quick { 0 } else { 1 << 10 };
        let most = [0, 0, 300, 1 << 20][model.rng.random_range(0..4)].max(least);
        let worthwhile = [1, 1000, 10_000, usize::MAX][model.rng.random_range(0..4)];
        let model = Rc::new(RefCell::new(model));
        let storage = Self {
            model: model.clone(),
            truth: Truth::new(plan.nodes),
            seen: 0,
            stores: BTreeMap::new(),
            tasks: Vec::new(),
            last_task: 0,
            new: BTreeSet::new(),
            sizes: (most, worthwhile),
            mistake,
            slack: ms(1000) + 20 * plan.store_delay,
        };
        (storage, Left(model))
    }

    fn store(&mut self, process: usize, node: usize) -> Rc<Stores> {
        let store = self.stores.entry(process).or_insert_with(|| {
            let engine = Planted::new(Client(self.model.clone()), self.mistake);
            let store = Store::over(engine, Names::new("shop", name(node)), self.sizes.0);
            Rc::new(store.with_snapshots_every(self.sizes.1))
        });
        store.clone()
    }

    fn begin(
        &mut self,
        process: usize,
        token: Option<Token>,
        future: impl Future<Output = Option<Answer>> + 'static,
    ) -> u64 {
        self.last_task += 1;
        self.tasks.push(Task { id: self.last_task, process, token, future: Box::pin(future) });
        self.new.insert(process);
        self.last_task
    }

    /// The records change by what the servers have committed since.
    fn see_commits(&mut self, records: &mut Records, progress: &mut Progress) -> Result<(), String> {
        let mut model = self.model.borrow_mut();
        let new = model.committed[self.seen..].to_vec();
        self.seen += new.len();
        for committed in &new {
            progress.changed.extend(self.truth.committed(committed, records, &mut model.tally)?);
        }
        Ok(())
    }

    /// Drops what processes did that are gone.
    fn drop_dead(&mut self, processes: &[Process]) {
        let before = self.tasks.len();
        self.tasks.retain(|task| processes[task.process].phase != Phase::Gone);
        let mut model = self.model.borrow_mut();
        (self.tasks.len()..before).for_each(|_| model.tally.note(Met::ProcessDiedInRequest));
    }

    /// A process goes on with all its tasks, until none of them can do more.
    fn go_on(&mut self, process: usize, progress: &mut Progress) -> Result<(), String> {
        let woken = Arc::<Woken>::default();
        loop {
            self.poll_tasks(process, &woken, progress)?;
            if !woken.take() {
                return Ok(());
            }
        }
    }

    fn poll_tasks(
        &mut self,
        process: usize,
        woken: &Arc<Woken>,
        progress: &mut Progress,
    ) -> Result<(), String> {
        let waker = woken.waker();
        let mut at = 0;
        while at < self.tasks.len() {
            let task = &mut self.tasks[at];
            if task.process != process {
                at += 1;
                continue;
            }
            self.model.borrow_mut().running = (task.id, process);
            match task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => at += 1,
                Poll::Ready(answer) => {
                    let Task { id, token, .. } = self.tasks.remove(at);
                    let (Some(answer), Some(token)) = (answer, token) else { continue };
                    self.truth.answered(id, &answer)?;
                    let is_commit = matches!(answer.outcome, Outcome::Committed { .. });
                    progress.outcomes.push((process, token, answer.outcome));
                    let store = self.stores[&process].clone();
                    if is_commit && store.is_worth_tidying() {
                        self.begin(process, None, async move {
                            store.tidy().await;
                            None
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Storage for OverJetStream {
    fn fail(&mut self, outage: Outage, now: Duration) {
        self.model.borrow_mut().fail(outage, now);
    }

    fn recover(&mut self, now: Duration) -> Vec<Asked> {
        self.model.borrow_mut().recover(now);
        Vec::new()
    }

    fn heal(&mut self) {
        self.model.borrow_mut().heal();
    }

    fn last_trouble(&self, now: Duration) -> Duration {
        self.model.borrow().last_trouble(now)
    }

    fn arrive(
        &mut self,
        request: Asked,
        _records: &mut Records,
        (now, _): (Duration, bool),
        _plan: &Plan,
        _rng: &mut SmallRng,
    ) -> Result<Next, String> {
        let Asked { process, node, token, what, .. } = request;
        let store = self.store(process, node);
        let asked = what.clone();
        let id = self.begin(process, Some(token), async move { Some(store.request(what).await) });
        self.truth.asked(id, (process, node), &asked);
        self.rouse(now);
        Ok(Next::Nothing)
    }

    fn due(&self) -> Option<Duration> {
        self.model.borrow().due()
    }

    fn rouse(&mut self, now: Duration) {
        self.model.borrow_mut().schedule(now, Event::Rouse);
    }

    fn advance(
        &mut self,
        now: Duration,
        records: &mut Records,
        processes: &[Process],
    ) -> Result<Progress, String> {
        let mut progress = Progress::default();
        self.truth.at(now);
        self.drop_dead(processes);
        loop {
            self.model.borrow_mut().run_until(now);
            self.see_commits(records, &mut progress)?;
            let mut woken = std::mem::take(&mut self.new);
            woken.append(&mut self.model.borrow_mut().woken);
            let (run, stopped): (BTreeSet<usize>, _) =
                woken.into_iter().partition(|process| processes[*process].phase == Phase::Runs);
            for process in &run {
                self.go_on(*process, &mut progress)?;
            }
            let waits = |process: &usize| matches!(processes[*process].phase, Phase::Paused(_));
            let stopped: BTreeSet<usize> = stopped.into_iter().filter(waits).collect();
            let mut model = self.model.borrow_mut();
            for _ in &stopped {
                model.tally.note(Met::ProcessStoppedInRequest);
            }
            model.woken.extend(stopped);
            if run.is_empty() {
                return Ok(progress);
            }
        }
    }

    fn slack(&self) -> Duration {
        self.slack
    }
}
