//! The handle.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand::RngExt;
use replica::{AckPolicy, Change, Config, Input, Name, NodeId, ReplicaId, Reply, Step, Until};

use crate::clock::unix_ms;
use crate::engine::Engine;
use crate::keys::Keys;
use crate::shared::Shared;
use crate::store::Store;
use crate::{
    Done, Export, Group, ImportError, OpenError, Options, Outside, Peer, Pending, Seen, Session, Status,
    Version, Watch, committer, timer,
};

/// Many counters, in a directory: see [the crate](crate).
///
/// It is a handle: clones are the same counters. The last one that is dropped closes them.
#[derive(Debug, Clone)]
pub struct Counters(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<Thread>>,
    /// The replica under which this process counts, once that is known here.
    replica: OnceLock<ReplicaId>,
}

impl Handle {
    fn new(shared: Arc<Shared>, threads: Vec<Thread>) -> Arc<Self> {
        Arc::new(Self { shared, threads: Mutex::new(threads), replica: OnceLock::new() })
    }
}

/// A thread that ends with the replica, or with a failure in words.
type Thread = JoinHandle<Result<(), String>>;

impl Counters {
    /// Opens the counters in a directory, with the [default options](Options).
    ///
    /// # Errors
    ///
    /// As [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Options::default().open(path)
    }

    pub(crate) fn start(path: &Path, options: Options) -> Result<Self, OpenError> {
        let mut store = Store::open(path)?;
        store.shows_unstored(options.ack == AckPolicy::Memory);
        let node = choose_node(&mut store, path, options.node.as_deref())?;
        let keys = Keys::from_notes(store.notes(unix_ms())?);
        let mut engine = Engine::alone(options, node, keys);
        while let Some((token, request)) = engine.next_request() {
            let outcome = store.request(request)?;
            engine.outcome(token, outcome);
            if engine.is_ready() {
                break;
            }
        }
        engine.catch_up();
        engine.take_calls();
        let shared = Shared::new(engine);
        let (committing, timing) = (shared.clone(), shared.clone());
        let threads = vec![
            spawn("committer", move || committer::run(&committing, store))?,
            spawn("timer", move || {
                timer::run(&timing);
                Ok(())
            })?,
        ];
        Ok(Self(Handle::new(shared, threads)))
    }

    /// Begins to count in a cluster. What drives the other half does the replica's requests to the store, and its messages.
    pub(crate) fn join(
        node: NodeId,
        options: Options,
        store_timeout: Duration,
    ) -> Result<(Self, Outside), OpenError> {
        let (survey_interval, recover_within) = (Some(SURVEY_EVERY), Some(RECOVER_WITHIN));
        let config =
            Config { ack: options.ack, store_timeout, survey_interval, recover_within, ..Config::default() };
        let shared = Shared::new(Engine::new(options, node, Keys::unread(), &config));
        let timing = shared.clone();
        let threads = vec![spawn("timer", move || {
            timer::run(&timing);
            Ok(())
        })?];
        let outside = Outside::new(shared.clone());
        Ok((Self(Handle::new(shared, threads)), outside))
    }

    /// Submits requests together. They are handled one after the other, and no other request comes between them. Their answers come
    /// together, in the same order, once the last is there.
    ///
    /// All other threads wait until `ask` returns: let it do nothing but ask.
    pub fn submit(&self, ask: impl FnOnce(&mut Session<'_>)) -> Group {
        self.0.shared.submit(ask)
    }

    /// Adds to a counter. The answer is its value, as this node sees it, with this add.
    pub fn add(&self, name: &str, delta: i64) -> Pending<i128> {
        self.change(Change::Add(name.into(), delta))
    }

    /// Subtracts what this node sees of a counter. The answer is how much that was. Adds on other nodes that this one does not see
    /// yet survive.
    pub fn reset(&self, name: &str) -> Pending<i128> {
        self.change(Change::Reset(name.into()))
    }

    /// Reports that a source of the counter has counted `total`, all in all. The counter takes the largest total that it has heard
    /// of each source, so a report may be repeated. The answer is the counter's value.
    pub fn report(&self, name: &str, source: &str, total: u64) -> Pending<i128> {
        self.change(Change::Report { counter: name.into(), source: source.into(), total })
    }

    /// Changes several counters: all or none. The answer has the value after each add, and what each reset has subtracted.
    pub fn batch(&self, steps: impl IntoIterator<Item = (Name, Step)>) -> Pending<Arc<[i128]>> {
        let change = Change::Batch(steps.into_iter().collect());
        Pending::new(self.submit(|session| session.change(change)), |reply| match reply {
            Reply::Values(values) => values,
            Reply::Value(value) | Reply::Reset(value) => [value].into(),
            Reply::Counted | Reply::Forgotten | Reply::Reached | Reply::NotReached(_) | Reply::Held(_) => {
                [].into()
            }
        })
    }

    fn change(&self, change: Change) -> Pending<i128> {
        Pending::new(self.submit(|session| session.change(change)), |reply| reply.value())
    }

    /// The value of a counter, as this node sees it. 0 if nobody has counted it.
    pub fn value(&self, name: &str) -> i128 {
        self.0.shared.lock().map_or(0, |engine| engine.rows().value(name))
    }

    /// The value of a counter. `None` if nobody has counted it since it was reset.
    pub fn get(&self, name: &str) -> Option<i128> {
        let engine = self.0.shared.lock()?;
        engine.rows().counted_value(name)
    }

    /// The counters whose names begin with `prefix` and come behind `after`, in the order of their names (by bytes), with their
    /// values: at most `limit`. Counters that nobody has counted since they were reset are left out.
    ///
    /// It looks at a thousand counters at a time, so adds go on meanwhile.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(Name, i128)> {
        let mut found = Vec::new();
        let mut after: Option<Name> = after.map(Into::into);
        while found.len() < limit {
            let Some(engine) = self.index() else { break };
            let rows = engine.rows();
            let mut looked_at = 0;
            for name in engine.index.names(rows, prefix, after.clone().as_deref()).take(PAGE) {
                looked_at += 1;
                after = Some(name.into());
                if let Some(value) = rows.counted_value(name) {
                    found.push((name.into(), value));
                }
                if found.len() == limit {
                    break;
                }
            }
            if looked_at < PAGE {
                break;
            }
        }
        found
    }

    /// Tells `found` the counters from place `from` on, in the order in which their names came here: looks at `limit` places.
    /// Returns the place to go on from, `None` behind the last.
    ///
    /// No place changes while these counters are open, and new names come behind all others. Counters that nobody has counted since
    /// they were reset are left out. All others wait meanwhile, so look at a thousand at a time.
    pub fn scan(&self, from: usize, limit: usize, mut found: impl FnMut(&str)) -> Option<usize> {
        let engine = self.0.shared.lock()?;
        let rows = engine.rows();
        let upto = from.saturating_add(limit);
        if from < rows.len() {
            rows.names_from(from).take(limit).filter(|name| rows.is_counted(name)).for_each(&mut found);
        }
        (upto < rows.len()).then_some(upto)
    }

    /// The sum of the values of all counters whose names begin with `prefix`, and how many these are.
    ///
    /// It looks at a thousand counters at a time. Adds that come meanwhile may be in it or not.
    pub fn sum(&self, prefix: &str) -> (i128, usize) {
        let (mut sum, mut count) = (0_i128, 0);
        let mut after: Option<Name> = None;
        loop {
            let page = self.list(prefix, after.as_deref(), PAGE);
            sum = page.iter().fold(sum, |sum, (_, value)| sum.saturating_add(*value));
            count += page.len();
            match page.last() {
                Some((name, _)) if page.len() == PAGE => after = Some(name.clone()),
                _ => return (sum, count),
            }
        }
    }

    /// Tells from now on which counters change whose names begin with `prefix`.
    pub fn watch(&self, prefix: &str) -> Watch {
        Watch::new(self.0.shared.clone(), prefix)
    }

    /// All that this node holds, as lines of JSON that can be [imported](Self::import) anywhere.
    pub fn export(&self) -> Export {
        Export::new(self.0.shared.clone())
    }

    /// Merges what was [exported](Self::export), here or elsewhere. No count is lowered, and what is known already changes nothing.
    ///
    /// # Errors
    ///
    /// [`ImportError`], with the line that can't be read. Nothing was merged.
    pub fn import(&self, lines: impl std::io::BufRead) -> Result<crate::import::Imported, ImportError> {
        let rows = crate::import::read(lines)?;
        let (counters, replicas) = (rows.iter().map(|row| row.items().len()).sum(), rows.len());
        let answers = self.submit(|session| session.import(rows)).wait();
        let imported = Group::only(answers).map(|_| crate::import::Imported { counters, replicas });
        imported.map_err(ImportError::Refused)
    }

    /// Ends another node of the cluster for good. What it has counted stays; what it has neither stored nor told anybody is lost. A
    /// process of it that still runs ends once it finds out. It may return later, and counts on under a new replica.
    ///
    /// The answer comes once its record is sealed. To ask again does no harm.
    pub fn forget(&self, node: &str) -> Pending<()> {
        Pending::new(self.submit(|session| session.forget(node.into())), |_forgotten| ())
    }

    /// How the counters are doing.
    pub fn status(&self) -> Status {
        match self.0.shared.lock() {
            Some(engine) => engine.status(),
            None => Status { has_failed: true, ..Status::default() },
        }
    }

    /// Waits until this node shows, or its peers have, so much. A read afterwards has it. The answer is [`Reply::Reached`] or
    /// [`Reply::Held`]. After `within` it is [`Reply::NotReached`], with the nodes that have not told what is missing, or how many peers
    /// have it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use embedded::{Counters, Reply, Until};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let counters = Counters::open(directory.path())?;
    /// // Alone there is nobody to ask.
    /// let all = counters.wait_until(Until::AllTold, Duration::from_secs(1)).wait()?;
    /// assert_eq!(all, Reply::Reached);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_until(&self, until: Until, within: Duration) -> Pending<Reply> {
        Pending::new(self.submit(|session| session.wait_until(until, within)), |reply| reply)
    }

    /// What this node shows, of all counters or of one: the versions, and how fresh that is. Take it after a read, and it has what was
    /// read.
    pub fn seen(&self, counter: Option<&str>) -> Seen {
        match self.0.shared.lock() {
            Some(engine) => engine.seen(counter),
            None => Seen { version: Version::default(), complete: None },
        }
    }

    /// What a client has seen that was told of a change, beside what it had `seen` before. A node that covers it shows the change.
    pub fn written(&self, done: &Done, mut seen: Version) -> Version {
        match self.replica().filter(|_| !done.is_replayed) {
            // Without the lock, as most changes.
            Some(replica) => seen.see(replica, done.number),
            None => seen.merge(&self.0.shared.lock().map(|engine| engine.written(done)).unwrap_or_default()),
        }
        seen
    }

    /// Whether a change can be added to what a client has seen: the text of a version has a longest length.
    pub fn has_room_in(&self, seen: &Version) -> bool {
        seen.has_room_for(self.replica())
    }

    /// The replica under which this process counts, once it has chosen.
    fn replica(&self) -> Option<&ReplicaId> {
        if self.0.replica.get().is_none()
            && let Some(engine) = self.0.shared.lock().filter(|engine| engine.replica.has_chosen())
        {
            let _is_the_same = self.0.replica.set(engine.replica.id().clone());
        }
        self.0.replica.get()
    }

    /// What this node knows of the other nodes of its cluster, in the order of their names. Alone there are none.
    pub fn peers(&self) -> Vec<Peer> {
        self.0.shared.lock().map_or_else(Vec::new, |mut engine| {
            engine.look_at_clock();
            engine.peers()
        })
    }

    /// Ends: answers everyone who waits, and commits what is counted. Changes that come later are refused.
    ///
    /// # Errors
    ///
    /// The failure of the database, in words. What was acknowledged is stored all the same.
    pub fn close(&self) -> Result<(), String> {
        self.0.close()
    }

    /// Whether the database has failed, in words. Then the process must be started again.
    pub fn failure(&self) -> Option<String> {
        match self.0.shared.lock() {
            Some(engine) => engine.failure().map(Into::into),
            None => Some("the engine has failed: start the process again".into()),
        }
    }

    fn index(&self) -> Option<std::sync::MutexGuard<'_, Engine>> {
        let mut engine = self.0.shared.lock()?;
        engine.catch_up();
        Some(engine)
    }
}

/// How old the answer of a peer may get before it is asked again what it shows, so that reads can say how fresh they are.
const SURVEY_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to read all records of a cluster. A million counters take some seconds.
const RECOVER_WITHIN: Duration = Duration::from_mins(1);

/// So many counters are looked at at a time.
const PAGE: usize = 1_000;

impl Handle {
    fn close(&self) -> Result<(), String> {
        if let Some(mut engine) = self.shared.lock() {
            engine.look_at_clock();
            engine.handle(Input::Shutdown);
            engine.tick();
            self.shared.release(engine);
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = threads
            .drain(..)
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread has failed".into())));
        ends.fold(Ok(()), Result::and)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _told_in_the_log = self.close();
    }
}

fn spawn(name: &str, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<Thread, OpenError> {
    thread::Builder::new().name(name.into()).spawn(run).map_err(OpenError::NoThread)
}

/// The name of this node: the one in the directory. A new directory takes the one that is given, or draws one.
fn choose_node(store: &mut Store, path: &Path, given: Option<&str>) -> Result<NodeId, OpenError> {
    if let Some(given) = given.filter(|given| !crate::is_node_name(given)) {
        return Err(OpenError::Name { given: given.into() });
    }
    match (store.node(), given) {
        (Some(node), Some(given)) if node.as_str() != given => {
            Err(OpenError::OtherNode { node: node.to_string(), given: given.into() })
        }
        (Some(node), _) => Ok(node.clone()),
        (None, given) => {
            let drawn = || format!("n{:08x}", rand::rng().random::<u32>());
            let node = NodeId::from(given.map_or_else(drawn, Into::into).as_str());
            if store.name_node(&node)? {
                return Ok(node);
            }
            let error = std::io::Error::other("it can't be written");
            Err(OpenError::Unusable { path: path.into(), error })
        }
    }
}
