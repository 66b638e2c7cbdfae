//! What a service asks for beyond changes and reads: to be told values, to keep notes, and to import what was exported.

use rand::RngExt;
use rand::rngs::SmallRng;
use replica::store::Note;
use replica::{Change, Request, Step};

use super::{Fault, Kind, Plan, ms};

impl Plan {
    /// Drawn after all else, so that a seed's other faults stay what they were.
    pub(super) fn draw_services(&mut self, rng: &mut SmallRng) {
        let share = |rng: &mut SmallRng, of: &[f64]| of[rng.random_range(0..of.len())];
        let (tells, notes) = (share(rng, &[0.0, 0.3, 0.8]), share(rng, &[0.0, 0.2, 0.7]));
        let resets = share(rng, &[0.0, 0.1, 0.3]);
        let mut id = 0;
        for (_, _, request) in &mut self.asks {
            let Request::Change(change) = request else { continue };
            if let Change::Batch(steps) = change {
                for (_, step) in steps.iter_mut().filter(|_| rng.random_bool(resets)) {
                    *step = Step::Reset;
                }
            }
            if rng.random_bool(tells) {
                id += 1;
                let note = rng.random_bool(notes).then(|| note(id));
                *request = Request::ChangeAndTell { change: change.clone(), note };
            }
        }
        // What is known of imports holds as long as no record goes back.
        if self.has(Kind::Backs) || !rng.random_bool(0.4) {
            return;
        }
        self.kinds.push(Kind::Imports);
        for _ in 0..rng.random_range(1..6) {
            let end = u64::try_from(self.heal_at.as_millis()).unwrap();
            let (from, to) = (rng.random_range(0..self.nodes), rng.random_range(0..self.nodes));
            let at = rng.random_range(300..end);
            self.at(ms(at), Fault::Export(from));
            self.at(ms(at + rng.random_range(0..2000)), Fault::Import(to));
        }
    }
}

/// A note that no other change has.
fn note(id: u64) -> Note {
    Note { until: id, text: id.to_le_bytes().into() }
}
