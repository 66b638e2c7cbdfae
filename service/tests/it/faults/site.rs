//! A server that is killed, paused and restarted, and where its clients find it.

use std::path::Path;
use std::sync::{Condvar, Mutex};

use super::proxy::Proxy;
use crate::harness::{Address, Counterd, Setup};
use crate::history::{BOUND, Recorder};

/// What is done to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// SIGKILL, and a start.
    Kill,
    /// SIGSTOP, and SIGCONT once every client waits.
    Pause,
    /// SIGTERM, and a start.
    Restart,
    /// SIGTERM, a copy of the directory, and a start.
    Copy,
    /// SIGKILL, and a start in the copy. This is a planted bug: what was acknowledged since the copy is lost.
    GoBack,
}

/// A server that is killed, paused and restarted.
pub(crate) struct Site {
    setup: Setup,
    counterd: Mutex<Option<Counterd>>,
    address: Mutex<Option<Address>>,
    is_up: Condvar,
    /// In front of HTTP and of the Redis port.
    proxies: [Proxy; 2],
}

impl Site {
    /// Starts a server in a directory of its own, and two proxies that cut answers.
    pub(crate) fn start(seed: u64) -> Self {
        let site = Self {
            setup: Setup::new(),
            counterd: Mutex::default(),
            address: Mutex::default(),
            is_up: Condvar::new(),
            proxies: [Proxy::start(seed, 3_000), Proxy::start(seed, 300)],
        };
        site.begin();
        site
    }

    /// Where the server is. Waits while it is being started.
    pub(crate) fn address(&self) -> Address {
        let address = self.address.lock().unwrap();
        let (address, _) =
            self.is_up.wait_timeout_while(address, BOUND, |address| address.is_none()).unwrap();
        address.clone().expect("the server starts in time")
    }

    /// Where the proxies are.
    pub(crate) fn cutting_address(&self) -> Address {
        let [http, redis] = &self.proxies;
        Address { http: format!("http://{}", http.address), redis: redis.address.to_string() }
    }

    /// Does something to the server, which runs afterwards.
    pub(crate) fn perform(&self, act: Act, recorder: &Recorder, clients: usize) {
        match act {
            Act::Kill => self.end().kill(),
            Act::Restart => self.terminate(),
            Act::Copy => {
                self.terminate();
                copy(&self.setup.data(), &self.copy_of_data());
            }
            Act::GoBack => {
                self.end().kill();
                std::fs::remove_dir_all(self.setup.data()).unwrap();
                copy(&self.copy_of_data(), &self.setup.data());
            }
            Act::Pause => return self.pause(recorder, clients),
        }
        self.begin();
    }

    fn pause(&self, recorder: &Recorder, clients: usize) {
        let counterd = self.counterd.lock().unwrap();
        let counterd = counterd.as_ref().unwrap();
        counterd.signal("STOP");
        let all_wait = recorder.wait(|tape| tape.waiting == clients);
        counterd.signal("CONT");
        assert!(all_wait, "the clients of a server that is paused wait");
    }

    fn terminate(&self) {
        let status = self.end().terminate();
        assert!(status.success(), "asked to end, it ended with {status}");
    }

    fn begin(&self) {
        let counterd = self.setup.start();
        let address = counterd.address();
        let [before_http, before_redis] = &self.proxies;
        before_http.lead_to(address.http.trim_start_matches("http://"));
        before_redis.lead_to(&address.redis);
        *self.counterd.lock().unwrap() = Some(counterd);
        *self.address.lock().unwrap() = Some(address);
        self.is_up.notify_all();
    }

    /// From now on clients that look for the server wait.
    fn end(&self) -> Counterd {
        *self.address.lock().unwrap() = None;
        self.counterd.lock().unwrap().take().unwrap()
    }

    fn copy_of_data(&self) -> std::path::PathBuf {
        self.setup.data().with_extension("copy")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
