//! A proxy that cuts connections in the middle of an answer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// A proxy. It stops when it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    upstream: Arc<Mutex<String>>,
    is_over: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy that passes each connection on, and cuts it after a random number of bytes of answers, at most `longest`.
    pub(crate) fn start(seed: u64, longest: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Arc::new(Mutex::new(String::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let proxy = Self { address, upstream: upstream.clone(), is_over: is_over.clone() };
        let mut random = SmallRng::seed_from_u64(seed);
        thread::spawn(move || {
            for client in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let upstream = upstream.lock().unwrap().clone();
                // If the server is down the client's connection is closed.
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(upstream)) {
                    let budget = random.random_range(1..=longest);
                    thread::spawn(move || pass_on(&client, &server, budget));
                }
            }
        });
        proxy
    }

    /// Passes the connections that come from now on to this address.
    pub(crate) fn lead_to(&self, address: &str) {
        address.clone_into(&mut self.upstream.lock().unwrap());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _wakes = TcpStream::connect(self.address);
    }
}

/// Passes requests on until a side closes, and answers until `budget` bytes have passed.
fn pass_on(client: &TcpStream, server: &TcpStream, budget: usize) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let _cut = copy(client, server, usize::MAX);
            let _is_closed = server.shutdown(Shutdown::Both);
        });
        let _cut = copy(server, client, budget);
        for side in [client, server] {
            let _is_closed = side.shutdown(Shutdown::Both);
        }
    });
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, mut budget: usize) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while budget > 0 {
        let read = from.read(&mut buffer)?.min(budget);
        if read == 0 {
            break;
        }
        to.write_all(&buffer[..read])?;
        budget -= read;
    }
    Ok(())
}
