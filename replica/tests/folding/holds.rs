//! Small clusters, each with a danger of its own: no state that they can get into breaks a rule, and something is folded.

use crate::search::search;
use crate::setup::{Amended, Bug, Left, Setup};

/// One peer, an add beside the one that is stored, a crash, a seal. The store is never silent.
pub(crate) const CRASH: Setup = Setup {
    peers: 1,
    left: Left {
        adds: 1,
        starts: 1,
        crashes: 1,
        ends: 0,
        seals: 1,
        peer_crashes: 0,
        peer_doubles: 0,
        forgets: 0,
        late_frames: 0,
        late_replies: 0,
        late_relays: 0,
        restores: 0,
        unknowns: 0,
        lost: 0,
    },
    silent: false,
    memory: false,
    zombies: false,
    sealed_is_dead: true,
    bug: None,
    amended: Amended { settles: false, latest: false, carries: false },
};

/// The store may be silent.
pub(crate) const SILENT: Setup = Setup { silent: true, ..CRASH };

/// The first process need not crash before the second begins: it may run on.
pub(crate) const ZOMBIE: Setup = Setup { zombies: true, left: Left { crashes: 0, ..CRASH.left }, ..SILENT };

/// The rules of the DESIGN and two more.
pub(crate) const AMENDED: Amended = Amended { settles: true, latest: true, carries: false };

/// As `AMENDED`; and a process below the seal counts its rest anew.
pub(crate) const CARRYING: Amended = Amended { carries: true, ..AMENDED };

/// Two processes begin after the first, and both may seal.
pub(crate) const fn second_sealer(setup: Setup) -> Setup {
    Setup { left: Left { starts: 2, seals: 2, ..setup.left }, ..setup }
}

fn holds(name: &str, setup: Setup) {
    let found = search(name, setup);
    assert!(found.broken.is_none(), "{name}: {:?}", found.broken);
    assert!(found.has_folded, "{name}: nothing was folded");
}

/// With the rules of the DESIGN alone, and with the amended ones.
fn holds_either_way(name: &str, setup: Setup) {
    holds(name, setup);
    holds(&format!("{name}, amended"), Setup { amended: AMENDED, ..setup });
}

#[test]
fn a_crash() {
    holds_either_way("a crash", CRASH);
    holds_either_way("a crash, the store silent", SILENT);
}

#[test]
fn commits_with_an_unknown_outcome() {
    let left = Left { unknowns: 1, lost: 1, ..SILENT.left };
    holds_either_way("a crash, an unknown outcome, a lost reply", Setup { left, ..SILENT });
    let left = Left { unknowns: 1, ..ZOMBIE.left };
    holds_either_way("a zombie, an unknown outcome", Setup { left, ..ZOMBIE });
}

#[test]
fn late_frames_and_replies() {
    let left = Left { late_frames: 1, late_replies: 1, ..SILENT.left };
    holds_either_way("a crash, a late frame, a late reply", Setup { left, ..SILENT });
}

#[test]
fn a_zombie_and_a_peer_that_crashes() {
    let left = Left { peer_crashes: 1, ..ZOMBIE.left };
    holds_either_way("a zombie, a crash of the peer", Setup { left, ..ZOMBIE });
}

#[test]
fn a_second_sealer() {
    let left = Left { crashes: 2, ..SILENT.left };
    holds_either_way("a second sealer, two crashes", second_sealer(Setup { left, ..SILENT }));
    holds_either_way("a second sealer, two zombies", second_sealer(Setup { silent: false, ..ZOMBIE }));
}

#[test]
fn a_process_that_inherits() {
    let left = Left { starts: 2, ends: 1, ..CRASH.left };
    holds_either_way("an end and a crash", Setup { left, ..CRASH });
    let left = Left { starts: 2, ends: 1, ..ZOMBIE.left };
    holds_either_way("an end and zombies", Setup { silent: false, left, ..ZOMBIE });
}

/// The half of rule 5 that is not needed: who inherits looks for larger numbers itself.
#[test]
fn a_replica_left_free_below_a_larger_number() {
    let left = Left { starts: 2, ends: 1, ..ZOMBIE.left };
    let setup = Setup { silent: false, bug: Some(Bug::LeavesFree), left, ..ZOMBIE };
    holds("a replica left free", setup);
}

#[test]
fn two_peers() {
    holds_either_way("a crash, two peers", Setup { peers: 2, ..SILENT });
    holds_either_way("a zombie, two peers", Setup { peers: 2, ..ZOMBIE });
}

#[test]
fn a_peer_that_is_forgotten() {
    let left = Left { forgets: 1, ..SILENT.left };
    holds_either_way("a crash, a peer forgotten", Setup { peers: 2, left, ..SILENT });
}

/// The node crashes after its fold, and its record is restored from before that.
#[test]
fn a_record_that_went_back() {
    let left = Left { crashes: 2, restores: 1, ..SILENT.left };
    holds_either_way("a record that went back", second_sealer(Setup { left, ..SILENT }));
}

/// What breaks a rule without the amendments: see `counterexamples`.
#[test]
fn what_the_amendments_mend() {
    let amended = |setup| Setup { amended: AMENDED, ..setup };
    let left = Left { peer_crashes: 1, late_relays: 1, ..SILENT.left };
    holds("crashes on both sides, a late relay", amended(Setup { left, ..SILENT }));
    let left = Left { peer_crashes: 1, late_frames: 1, ..SILENT.left };
    holds("crashes on both sides, a late frame", amended(Setup { left, ..SILENT }));
    let left = Left { peer_crashes: 1, late_replies: 1, ..SILENT.left };
    holds("crashes on both sides, a late reply", amended(Setup { left, ..SILENT }));
    let left = Left { peer_doubles: 1, ..ZOMBIE.left };
    holds("a zombie on both sides", amended(Setup { left, ..ZOMBIE }));
}

/// A process below the seal does not count as dead: it counts its rest anew.
#[test]
fn a_process_below_the_seal_that_goes_on() {
    let carrying = |setup| Setup { sealed_is_dead: false, amended: CARRYING, ..setup };
    let left = Left { peer_crashes: 1, ..ZOMBIE.left };
    holds("carried: a zombie, a crash of the peer", carrying(Setup { left, ..ZOMBIE }));
    holds("carried: memory, a zombie", carrying(Setup { memory: true, ..ZOMBIE }));
}

#[test]
#[ignore = "minutes"]
fn long_one_sealer() {
    let amended = |setup| Setup { amended: AMENDED, ..setup };
    let left = Left { peer_crashes: 1, late_relays: 1, ..ZOMBIE.left };
    holds("long: a zombie, a crash of the peer, a late relay", amended(Setup { left, ..ZOMBIE }));
    let left = Left { peer_crashes: 1, ..ZOMBIE.left };
    holds("long: two peers, a zombie, a crash of one", amended(Setup { peers: 2, left, ..ZOMBIE }));
    let left = Left { late_relays: 1, ..SILENT.left };
    holds("long: two peers, a crash, a late relay", amended(Setup { peers: 2, left, ..SILENT }));
    let left = Left { peer_doubles: 1, late_relays: 1, ..SILENT.left };
    holds("long: a crash, a double of the peer, a late relay", amended(Setup { left, ..SILENT }));
}

#[test]
#[ignore = "minutes"]
fn long_second_sealer() {
    let amended = |setup| Setup { amended: AMENDED, ..setup };
    holds("long: a second sealer, two zombies, the store silent", amended(second_sealer(ZOMBIE)));
    let left = Left { crashes: 2, peer_crashes: 1, late_relays: 1, ..SILENT.left };
    holds(
        "long: a second sealer, three crashes, a late relay",
        amended(second_sealer(Setup { left, ..SILENT })),
    );
    let left = Left { crashes: 2, unknowns: 1, ..SILENT.left };
    let setup = second_sealer(Setup { left, ..SILENT });
    holds_either_way("long: a second sealer, two crashes, an unknown outcome", setup);
    let left = Left { crashes: 2, late_frames: 1, ..SILENT.left };
    holds(
        "long: a second sealer, two crashes, a late frame",
        amended(second_sealer(Setup { left, ..SILENT })),
    );
    let left = Left { ends: 1, ..SILENT.left };
    holds("long: a second sealer, an end and a crash", amended(second_sealer(Setup { left, ..SILENT })));
}

#[test]
#[ignore = "minutes"]
fn long_carrying() {
    let carrying = Setup { sealed_is_dead: false, amended: CARRYING, memory: true, ..ZOMBIE };
    holds("long, carried: memory, a second sealer, two zombies", second_sealer(carrying));
}
