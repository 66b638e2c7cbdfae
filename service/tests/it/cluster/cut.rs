//! A link that can be cut, so that nothing passes and nobody is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::BOUND;

/// A link to an address. It ends when it is dropped.
pub(crate) struct Link {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: Mutex<bool>,
    /// Whether connections are closed at once.
    is_broken: Mutex<bool>,
    /// All connections so far.
    connections: Mutex<Vec<TcpStream>>,
    is_over: Mutex<bool>,
    healed: Condvar,
}

impl Link {
    pub(crate) fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let (state, upstream) = (link.state.clone(), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                if *state.is_over.lock().unwrap() {
                    return;
                }
                if *state.is_broken.lock().unwrap() {
                    continue;
                }
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(&upstream)) {
                    let state = state.clone();
                    let both = [&client, &server].map(|side| side.try_clone().unwrap());
                    state.connections.lock().unwrap().extend(both);
                    thread::spawn(move || pass_on(&client, &server, &state));
                }
            }
        });
        link
    }

    /// From now on bytes wait.
    pub(crate) fn cut(&self) {
        *self.state.is_cut.lock().unwrap() = true;
    }

    /// From now on connections are closed at once. Those that are there are closed too.
    pub(crate) fn break_off(&self) {
        *self.state.is_broken.lock().unwrap() = true;
        for connection in self.state.connections.lock().unwrap().drain(..) {
            let _is_closed = connection.shutdown(Shutdown::Both);
        }
    }

    /// The bytes that wait come after all.
    pub(crate) fn heal(&self) {
        *self.state.is_broken.lock().unwrap() = false;
        *self.state.is_cut.lock().unwrap() = false;
        self.state.healed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.heal();
        *self.state.is_over.lock().unwrap() = true;
        // Wakes the thread that waits for connections.
        let _wakes = TcpStream::connect(self.address);
    }
}

fn pass_on(client: &TcpStream, server: &TcpStream, state: &State) {
    thread::scope(|scope| {
        for (from, to) in [(client, server), (server, client)] {
            scope.spawn(move || {
                let _is_closed = copy(from, to, state);
                for side in [from, to] {
                    let _is_closed = side.shutdown(Shutdown::Both);
                }
            });
        }
    });
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, state: &State) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        let is_cut = state.is_cut.lock().unwrap();
        let passes = state.healed.wait_timeout_while(is_cut, BOUND, |is_cut| *is_cut).unwrap();
        drop(passes);
        to.write_all(&buffer[..read])?;
    }
}
