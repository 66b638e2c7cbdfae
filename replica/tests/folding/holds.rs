//! Small clusters, each with a danger of its own.

use crate::search::search;
use crate::setup::{Left, Setup};

pub(crate) const ONE: Setup = Setup {
    peers: 1,
    left: Left {
        adds: 1, starts: 1, crashes: 1, seals: 1, ends: 0, peer_crashes: 0, peer_doubles: 0, forgets: 0, late_frames: 0, late_replies: 0, late_relays: 0,
        unknowns: 0, lost: 0,
    },
    silent: false,
    memory: false,
    zombies: false,
    sealed_is_dead: true,
    bug: None,
    amended: crate::setup::Amended { freezes: false, one_phase: false, latest: false, carries: false },
};

/// What the model asks for beyond the DESIGN.
pub(crate) const AMENDED: crate::setup::Amended =
    crate::setup::Amended { freezes: true, one_phase: false, latest: true, carries: false };

fn holds(name: &str, setup: Setup) {
    let found = search(name, setup);
    assert!(found.broken.is_none(), "{name}: {:?}", found.broken);
    assert!(found.has_folded, "{name}: nothing was folded");
}

#[test]
fn a_crash() {
    holds("a crash", ONE);
}

#[test]
fn try_one() {
    let get = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u8>().ok());
    let or = |name: &str, value: u8| get(name).unwrap_or(value);
    let left = Left {
        adds: or("ADDS", 1), starts: or("STARTS", 1), crashes: or("CRASHES", 1), ends: or("ENDS", 0),
        seals: or("SEALS", 1), peer_crashes: or("PCRASH", 0), peer_doubles: or("PDOUBLE", 0),
        forgets: or("FORGETS", 0), late_frames: or("LF", 0), late_replies: or("LP", 0), late_relays: or("LR", 0), unknowns: or("UNKNOWN", 0), lost: or("LOST", 0),
    };
    let setup = Setup {
        peers: or("PEERS", 1), left, silent: or("SILENT", 0) > 0, memory: or("MEMORY", 0) > 0, zombies: or("ZOMBIES", 0) > 0,
        sealed_is_dead: or("STRICT", 0) == 0, bug: None,
        amended: crate::setup::Amended {
            freezes: or("FREEZE", 0) > 0, one_phase: or("PHASE", 0) > 0, latest: or("LATEST", 0) > 0, carries: or("CARRY", 0) > 0,
        },
    };
    println!("{:?}", search("try", setup));
}
