//! What operators do to a cluster: they restore records from backups, change the list of nodes, and forget nodes.

use rand::RngExt;
use rand::rngs::SmallRng;

use super::{Fault, Kind, Plan, ms};

impl Plan {
    /// Drawn after all else, so that a seed's other faults stay what they were.
    pub(super) fn draw_changes(&mut self, rng: &mut SmallRng) {
        let mut kinds = Kind::draw(&Kind::CHANGES, rng);
        // A record that goes back while a zombie counts under its replica is a known hole. And changes of the list, and
        // forgets, need another node.
        kinds.retain(|kind| if *kind == Kind::Backs { !self.has(Kind::Doubles) } else { self.nodes > 1 });
        self.kinds.extend(kinds);
        self.forgets_at_last = rng.random_bool(0.5);
        if self.has(Kind::Backs) {
            for _ in 0..rng.random_range(1..4) {
                self.draw_back(rng);
            }
        }
        if self.has(Kind::Rosters) {
            self.draw_lists(rng);
        }
        if self.has(Kind::Forgets) {
            for _ in 0..rng.random_range(1..4) {
                self.draw_forget(rng);
            }
        }
    }

    /// When all faults end, in milliseconds.
    fn end(&self) -> u64 {
        u64::try_from(self.heal_at.as_millis()).unwrap()
    }

    /// A record, or the whole store, goes back: between two processes of the node, or at any time.
    fn draw_back(&mut self, rng: &mut SmallRng) {
        let at = rng.random_range(500..self.end());
        let node = rng.random_range(0..self.nodes);
        match rng.random_range(0..4) {
            // Two clean ends, and the record of the first is restored after the second.
            0 | 1 => {
                let at = rng.random_range(200..self.end() / 2);
                let (again, end) = (at + rng.random_range(50..600), at + rng.random_range(700..3000));
                let back = end + rng.random_range(100..600);
                self.at(ms(at), Fault::End(node));
                self.at(ms(again), Fault::Start(node));
                self.at(ms(end), Fault::End(node));
                self.at(ms(back), Fault::Back(Some(node)));
                self.at(ms(back + rng.random_range(0..300) - 60), Fault::Start(node));
            }
            2 => self.at(ms(at), Fault::Back(rng.random_bool(0.7).then_some(node))),
            _ => {
                let back = at + rng.random_range(100..600);
                self.at(ms(back), Fault::Back(None));
                for node in 0..self.nodes {
                    let end = if rng.random_bool(0.8) { Fault::End(node) } else { Fault::Kill(node) };
                    self.at(ms(at), end);
                    self.at(ms(back + rng.random_range(0..1000)), Fault::Start(node));
                }
            }
        }
    }

    /// Some nodes join later. Some are taken off the list, and of these some return.
    fn draw_lists(&mut self, rng: &mut SmallRng) {
        let stays = rng.random_range(0..self.nodes);
        for node in (0..self.nodes).filter(|node| *node != stays) {
            if rng.random_bool(0.25) {
                let joins = rng.random_range(500..5000);
                self.faults.retain(|(at, fault)| {
                    !matches!(fault, Fault::Start(started) if *started == node && *at < ms(joins))
                });
                self.unlisted_at_first.push(node);
                self.at(ms(joins), Fault::List(node));
                self.at(ms(joins + rng.random_range(0..400) - 200), Fault::Start(node));
            }
        }
        for _ in 0..rng.random_range(1..4) {
            let (at, node) = (rng.random_range(500..self.end()), rng.random_range(0..self.nodes));
            self.at(ms(at), Fault::Unlist(node));
            self.draw_departure(node, at, rng);
            if rng.random_bool(0.4) {
                self.draw_return(node, at + rng.random_range(500..3000), rng);
            }
        }
    }

    /// A node that was taken off the list dies, ends, or runs on.
    fn draw_departure(&mut self, node: usize, at: u64, rng: &mut SmallRng) {
        let soon = ms(at + rng.random_range(0..1500));
        match rng.random_range(0..4) {
            0 => self.at(ms(at), Fault::Kill(node)),
            1 => self.at(soon, Fault::Kill(node)),
            2 => self.at(soon, Fault::End(node)),
            _ => {}
        }
    }

    fn draw_return(&mut self, node: usize, at: u64, rng: &mut SmallRng) {
        self.at(ms(at), Fault::List(node));
        self.at(ms(at + rng.random_range(0..400)), Fault::Start(node));
    }

    /// A node is forgotten: one that is dead, or off the list, or still runs. It may return.
    fn draw_forget(&mut self, rng: &mut SmallRng) {
        let (at, node) = (rng.random_range(500..self.end()), rng.random_range(0..self.nodes));
        if rng.random_bool(0.5) {
            self.at(ms(at), Fault::Unlist(node));
        }
        self.draw_departure(node, at, rng);
        // Two operators may want the same.
        for _ in 0..=usize::from(rng.random_bool(0.3)) {
            self.at(ms(at + rng.random_range(0..2000)), Fault::Forget(node));
        }
        if rng.random_bool(0.6) {
            self.draw_return(node, at + rng.random_range(500..4000), rng);
        }
    }
}
