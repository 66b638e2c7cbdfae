//! The suite that every store must pass. Each node has a store of its own, so the three of the suite have three.

use std::collections::BTreeMap;

use replica::NodeId;
use replica::store::conformance::{NODES, Subject, check};
use replica::store::{Outcome, Ownership, StoreRequest};

use super::disk::TestDisk;
use super::{Store, open};

/// The store of one node, with the owner of its last commit or seal.
struct Kept {
    store: Option<Store>,
    disk: TestDisk,
    owner: Option<Ownership>,
}

/// The stores of three nodes, in memory. They are closed and opened again before each request.
struct Reopened(BTreeMap<NodeId, Kept>);

impl Reopened {
    fn new() -> Self {
        let kept = |name| {
            let node = NodeId::from(name);
            let disk = TestDisk::with_store();
            let mut store = open(&disk).unwrap();
            assert!(store.name_node(&node).unwrap());
            (node, Kept { store: Some(store), disk, owner: None })
        };
        Self(NODES.into_iter().map(kept).collect())
    }
}

impl Kept {
    fn request(&mut self, node: &NodeId, request: StoreRequest) -> Outcome {
        self.store = None;
        let store = self.store.insert(open(&self.disk).unwrap());
        assert_eq!(store.node(), Some(node));
        store.fold(0).unwrap();
        let owner = match &request {
            StoreRequest::Commit { owner, .. } => owner.clone(),
            _ => None,
        };
        // A seal names the record as the suite knows it.
        let request = match request {
            StoreRequest::Seal { node, from: Some(from), rows } => {
                let from = Some(freed(from, self.owner.as_ref(), store));
                StoreRequest::Seal { node, from, rows }
            }
            request => request,
        };
        let mut outcome = store.request(request).unwrap();
        match &mut outcome {
            Outcome::Committed { .. } | Outcome::Sealed => self.owner = owner,
            // A new process finds the replica free. The suite must find what was committed.
            Outcome::Opened { record: Some(record), .. } | Outcome::Loaded(Some(record)) => {
                let found = record.owner.take();
                assert_eq!(
                    found.as_ref().map(|owner| &owner.replica),
                    self.owner.as_ref().or(found.as_ref()).map(|owner| &owner.replica)
                );
                record.owner.clone_from(&self.owner);
            }
            _ => {}
        }
        outcome
    }
}

/// The record as the store shows it, if it is the one that the store has.
fn freed(
    mut record: replica::store::Record,
    owner: Option<&Ownership>,
    store: &mut Store,
) -> replica::store::Record {
    if record.owner.as_ref() == owner {
        record.owner = store.record().unwrap().and_then(|record| record.owner);
    }
    record
}

impl Subject for Reopened {
    type Process = NodeId;

    fn start(&mut self, node: &NodeId) -> NodeId {
        node.clone()
    }

    fn run(&mut self, process: &mut NodeId, request: StoreRequest) -> Outcome {
        match &request {
            StoreRequest::Load { node } | StoreRequest::Seal { node, .. } => {
                let node = node.clone();
                self.0.get_mut(&node).unwrap().request(&node, request)
            }
            StoreRequest::Nodes => {
                let all = self.0.iter_mut().map(|(node, kept)| kept.request(node, StoreRequest::Nodes));
                let names = all.flat_map(|outcome| match outcome {
                    Outcome::Nodes(names) => names,
                    other => panic!("{other}"),
                });
                Outcome::Nodes(names.collect())
            }
            StoreRequest::Open | StoreRequest::Commit { .. } | StoreRequest::Fence => {
                self.0.get_mut(process).unwrap().request(&process.clone(), request)
            }
        }
    }
}

#[test]
fn it_is_a_store_also_if_it_is_opened_again_before_each_request() {
    check(Reopened::new).unwrap();
}

/// The stores of three nodes, in directories.
struct InDirectories {
    _dir: tempfile::TempDir,
    stores: BTreeMap<NodeId, Store>,
}

impl InDirectories {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = |name| {
            let node = NodeId::from(name);
            let mut store = Store::open(&dir.path().join(name)).unwrap();
            assert!(store.name_node(&node).unwrap());
            (node, store)
        };
        Self { stores: NODES.into_iter().map(store).collect(), _dir: dir }
    }
}

impl Subject for InDirectories {
    type Process = NodeId;

    fn start(&mut self, node: &NodeId) -> NodeId {
        node.clone()
    }

    fn run(&mut self, process: &mut NodeId, request: StoreRequest) -> Outcome {
        let node = match &request {
            StoreRequest::Load { node } | StoreRequest::Seal { node, .. } => node.clone(),
            StoreRequest::Nodes => {
                let names =
                    self.stores.values_mut().flat_map(|store| match store.request(StoreRequest::Nodes) {
                        Ok(Outcome::Nodes(names)) => names,
                        other => panic!("{other:?}"),
                    });
                return Outcome::Nodes(names.collect());
            }
            StoreRequest::Open | StoreRequest::Commit { .. } | StoreRequest::Fence => process.clone(),
        };
        self.stores.get_mut(&node).unwrap().request(request).unwrap()
    }
}

#[test]
fn it_is_a_store_in_a_directory() {
    check(InDirectories::new).unwrap();
}
