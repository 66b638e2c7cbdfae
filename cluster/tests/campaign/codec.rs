//! Frames through the codec that ships, as bytes, in two versions.
//!
//! There is one version of the format so far. The second one is this test's: it is the first, and each whole frame has a tail that says
//! how long it is. Some processes read both. They write what all nodes read, as far as they have said.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::wire::hello::{Hello, Occasion};
use cluster::wire::pieces::Assembler;
use cluster::wire::{Message, WireError, frame, messages, read};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use replica::Frame;

use crate::jetstream::{Left, Met};
use crate::world::messages::{Sent, Wire};
use crate::world::plan::{Plan, ms};

/// How often a process says hello.
const HELLO_EVERY: Duration = ms(500);

/// The version after the one that ships.
const NEXT: u8 = cluster::wire::VERSION + 1;

/// Which versions the processes of a cluster read.
#[derive(Clone, Copy)]
enum Release {
    Old,
    New,
    /// Nodes are updated, and sometimes taken back.
    Both,
}

/// What the processes of a cluster know of each other's codecs.
pub(crate) struct Codec {
    rng: SmallRng,
    nodes: usize,
    release: Release,
    /// How many bytes a message may have.
    most: usize,
    processes: BTreeMap<usize, Process>,
    met: Left,
}

struct Process {
    node: usize,
    hello: Hello,
    /// What nodes have said.
    heard: BTreeMap<usize, Hello>,
    /// For each node the pieces of a frame, and which frame that is.
    assemblers: BTreeMap<usize, (Option<u64>, Assembler)>,
}

impl Codec {
    pub(crate) fn new(plan: &Plan, met: Left) -> Self {
        let mut rng = SmallRng::seed_from_u64(plan.seed.rotate_left(31));
        let release = [Release::Old, Release::New, Release::Both, Release::Both][rng.random_range(0..4)];
        let most = [0, 200, 1 << 20][rng.random_range(0..3)];
        Self { rng, nodes: plan.nodes, release, most, processes: BTreeMap::new(), met }
    }

    fn start(&mut self, node: usize) -> Process {
        let is_new = match self.release {
            Release::Old => false,
            Release::New => true,
            Release::Both => self.rng.random_bool(0.5),
        };
        let mut hello = Hello::of_this_release(Occasion::Begin, self.rng.random(), Duration::ZERO);
        if is_new {
            hello.versions = *hello.versions.start()..=NEXT;
        }
        Process { node, hello, heard: BTreeMap::new(), assemblers: BTreeMap::new() }
    }

    /// The message in version 1, if the process reads the version that it is in.
    fn first_version(&self, process: &Process, mut message: Vec<u8>) -> Option<Vec<u8>> {
        let version = message[0];
        if !process.hello.versions.contains(&version) {
            assert_eq!(read(&message), Err(WireError::Version(version)));
            self.met.note(Met::VersionNotRead);
            return None;
        }
        if version == NEXT {
            message[0] = cluster::wire::VERSION;
            if message[1] == 0 {
                let tail = usize::from(message.pop().unwrap());
                message.truncate(message.len() - tail);
            }
        }
        self.met.note(if version == NEXT { Met::NewVersionRead } else { Met::OldVersionRead });
        Some(message)
    }
}

impl Wire for Codec {
    fn write(&mut self, from: usize, _to: usize, frame: &Frame) -> Vec<Sent> {
        let id = self.rng.random();
        let mut written = messages(frame, id, self.most).expect("no frame of these worlds is so long");
        let process = &self.processes[&from];
        let others = (0..self.nodes).filter(|node| *node != process.node);
        let version = process.hello.version_for(others.map(|node| process.heard.get(&node)));
        if written.len() > 1 {
            self.met.note(Met::FrameInPieces);
        }
        if version == NEXT {
            for message in &mut written {
                message[0] = NEXT;
                if message[1] == 0 {
                    let tail = self.rng.random_range(0..5_u8);
                    message.extend((0..tail).chain([tail]));
                }
            }
        }
        written.into_iter().map(Sent::Bytes).collect()
    }

    fn read(&mut self, to: usize, from: usize, message: Sent) -> Option<Frame> {
        let bytes = match message {
            Sent::Frame(frame) => return Some(frame),
            Sent::Hello(bytes) => {
                let hello = Hello::from_bytes(&bytes).expect("all hellos are alike");
                self.processes.get_mut(&to)?.heard.insert(from, hello);
                return None;
            }
            Sent::Bytes(bytes) => bytes,
        };
        let bytes = self.first_version(&self.processes[&to], bytes)?;
        let piece = match read(&bytes).expect("a message is read as it was written") {
            Message::Frame(frame) => return Some(*frame),
            Message::Piece(piece) => piece,
        };
        let (before, assembler) = self.processes.get_mut(&to)?.assemblers.entry(from).or_default();
        if before.replace(piece.id).is_some_and(|before| before != piece.id) {
            self.met.note(Met::PieceOfFrameLost);
        }
        let whole = assembler.take(piece)?;
        *before = None;
        Some(frame::read(&whole).expect("a frame is read as it was written"))
    }

    fn hello(&mut self, process: usize, node: usize) -> Option<(Sent, Duration)> {
        if !self.processes.contains_key(&process) {
            let started = self.start(node);
            self.processes.insert(process, started);
        }
        Some((Sent::Hello(self.processes[&process].hello.to_bytes()), HELLO_EVERY))
    }
}
