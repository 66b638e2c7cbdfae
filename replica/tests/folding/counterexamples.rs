//! What the rules of the DESIGN don't prevent.

use crate::holds::{AMENDED, SILENT, ZOMBIE};
use crate::search::search;
use crate::setup::{Amended, Left, Setup};
use crate::state::Rule;

fn breaks(rule: Rule, name: &str, setup: Setup) {
    assert_eq!(search(name, setup).broken, Some(rule), "{name}");
}

/// A process and a peer hold an add. The peer dies. The process is sealed, and stops.
#[test]
fn a_process_below_the_seal_takes_an_add_with_it() {
    let left = Left { peer_crashes: 1, ..ZOMBIE.left };
    let setup = Setup { sealed_is_dead: false, left, ..ZOMBIE };
    breaks(Rule::Lost, "a zombie's add", setup);
    // The other amendments don't help. Its own reads are the first to lose an add.
    breaks(Rule::Back, "a zombie's add, amended", Setup { amended: AMENDED, ..setup });
}

/// Nobody dies, and adds are acknowledged once they are counted.
#[test]
fn a_process_below_the_seal_acknowledges_from_memory() {
    breaks(Rule::Lost, "memory", Setup { sealed_is_dead: false, memory: true, ..ZOMBIE });
}

/// Two processes of a peer run. The old one answers the seal; the new one holds an add.
#[test]
fn the_wrong_process_answers() {
    let left = Left { peer_doubles: 1, ..ZOMBIE.left };
    breaks(Rule::Lost, "the wrong process answers", Setup { left, ..ZOMBIE });
    let left = Left { peer_doubles: 1, ..SILENT.left };
    breaks(Rule::Lost, "the wrong process answers, after a crash", Setup { left, ..SILENT });
    let left = Left { peer_doubles: 1, ..ZOMBIE.left };
    let amended = Amended { latest: false, ..AMENDED };
    breaks(Rule::Lost, "the wrong process answers, settled", Setup { left, amended, ..ZOMBIE });
}

/// A frame of a dead process brings growth that is in nobody's answer. It is shown, and then below the floor.
#[test]
fn a_late_frame_is_shown_and_then_ignored() {
    let left = Left { peer_crashes: 1, late_relays: 1, ..SILENT.left };
    breaks(Rule::Back, "a late relay", Setup { left, ..SILENT });
}
