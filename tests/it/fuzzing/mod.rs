//! The bodies of the fuzz targets in `fuzz/`. The module `fuzzed` runs them for a short while.

mod pieces;
mod steps;
mod world;

use arbitrary::Unstructured;
use maelstrom_counter::config::{AckPolicy, Config};

use steps::Setup;
use world::World;

/// Gives any bytes, as lines, to a node before its `init` and to a member of a cluster.
pub(crate) fn line(bytes: &[u8]) {
    let config = Config { ack: AckPolicy::Memory, ..Config::default() };
    let worlds =
        [World::new(config.clone(), 1), World::member(config, 1), World::member(Config::default(), 1)];
    for mut world in worlds {
        for line in bytes.split(|&b| b == b'\n') {
            world.line(line);
            world.pass(40);
        }
        world.terminate();
        world.pass(1500);
    }
}

/// Runs a structured but wrong sequence of events, which these bytes spell.
pub(crate) fn sequence(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    if let Ok(setup) = bytes.arbitrary::<Setup>() {
        setup.run(&mut bytes);
    }
}
