//! Named counters: by a naive model, by the laws, by what they refuse, and as bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

mod beside;
#[path = "../../examples/named.rs"]
mod example;
#[path = "../it/fuzz_bodies.rs"]
#[allow(dead_code, reason = "the other bodies are run by `it`")]
mod fuzz_bodies;
mod fuzzed;
mod joined;
mod kept;
mod model;
mod planted;
mod refused;
mod sizes;
mod world;

use crdt::laws;
use proptest::collection::vec;
use proptest::prelude::*;
use world::{World, step};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn they_do_as_the_model_does(steps in vec(step(), 0..60)) {
        let mut world = World::new(None);
        for step in steps {
            world.step(step);
            world.check();
            world.check_beside();
        }
        laws::merge(&world.states).unwrap();
    }
}

#[test]
fn the_example_runs() {
    example::main().unwrap();
}
