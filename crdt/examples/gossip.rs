//! Gossip over UDP: three threads count, tell each other what they know, and stop once all of them know it all.
//!
//! `cargo run -p crdt-counters --example gossip`
//!
//! UDP may lose, double and reorder datagrams, and the counters don't mind. The bytes have a checksum of their own, so that
//! a damaged datagram is not merged. A real node would send deltas and leave out peers that have it all.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crdt::GCounter;
use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const NODES: u8 = 3;
const ADDS: u64 = 100;
/// Ends a run that does not get anywhere.
const MAX_SILENCES: u32 = 3000;
const SILENCE: Duration = Duration::from_millis(10);

type Problem = Box<dyn Error + Send + Sync>;

/// Counts, gossips, and returns the state once every node knows all adds.
fn node(
    own: u8,
    socket: &UdpSocket,
    peers: &[SocketAddr],
    done: &AtomicUsize,
) -> Result<GCounter<u8>, Problem> {
    let mut state = GCounter::<u8>::new();
    let mut silences = 0;
    let mut knows_all = false;
    for peer in peers.iter().cycle().skip(usize::from(own) + 1) {
        if state.get(own) < ADDS {
            state.inc(own)?;
        }
        if !knows_all && state.value() == u128::from(NODES) * u128::from(ADDS) {
            knows_all = true;
            done.fetch_add(1, Ordering::SeqCst);
        }
        if done.load(Ordering::SeqCst) == peers.len() {
            return Ok(state);
        }
        socket.send_to(&state.to_bytes(), peer)?;
        if !listen(socket, &mut state) {
            silences += 1;
        }
        if silences > MAX_SILENCES {
            break;
        }
    }
    Err(format!("node {own} knows of {state} adds only, and hears nothing new").into())
}

/// Merges what comes in, until something was new. Returns `false` if nothing was for a while.
fn listen(socket: &UdpSocket, state: &mut GCounter<u8>) -> bool {
    let mut datagram = [0; 1500];
    while let Ok((len, sender)) = socket.recv_from(&mut datagram) {
        match GCounter::from_bytes(datagram.get(..len).unwrap_or_default()) {
            Ok(heard) if state.merge(&heard) => return true,
            Ok(_) => {} // known
            Err(refused) => println!("{sender} sent what is refused: {refused}"),
        }
    }
    false
}

pub(crate) fn main() -> Result<(), Problem> {
    let sockets: Vec<UdpSocket> =
        (0..NODES).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let peers: Vec<SocketAddr> = sockets.iter().map(UdpSocket::local_addr).collect::<Result<_, _>>()?;
    let done = AtomicUsize::new(0);
    let states = thread::scope(|scope| {
        let mut nodes = Vec::new();
        for (own, socket) in (0..NODES).zip(&sockets) {
            socket.set_read_timeout(Some(SILENCE))?;
            nodes.push({
                let (peers, done) = (&peers, &done);
                scope.spawn(move || node(own, socket, peers, done))
            });
        }
        nodes
            .into_iter()
            .map(|node| node.join().map_err(|_| "a node has panicked")?)
            .collect::<Result<Vec<_>, _>>()
    })?;
    for (own, state) in states.iter().enumerate() {
        println!("node {own} has {state}: {state:?}");
    }
    Ok(())
}
