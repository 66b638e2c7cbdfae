//! The signals that interrupt a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::error::BenchError;

/// Ctrl-C, a request to end, a closed terminal, Ctrl-\. Each would end this process and leave its children running.
/// (SIGPIPE would not: Rust's runtime ignores it, and a write to a closed output fails.)
const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Notes these signals while it exists, instead of letting them end this process.
#[derive(Debug)]
pub(crate) struct Interrupt {
    flag: Arc<AtomicBool>,
    registrations: Vec<SigId>,
}

impl Interrupt {
    pub(crate) fn watch() -> Result<Self, BenchError> {
        let flag = Arc::new(AtomicBool::new(false));
        let mut registrations = Vec::new();
        for signal in SIGNALS {
            let registered = signal_hook::flag::register(signal, Arc::clone(&flag));
            registrations.push(registered.map_err(BenchError::io("cannot watch for signals"))?);
        }
        Ok(Self { flag, registrations })
    }

    pub(crate) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for registration in self.registrations.drain(..) {
            signal_hook::low_level::unregister(registration);
        }
    }
}
