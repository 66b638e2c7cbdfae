//! The signals that interrupt a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

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
        let mut interrupt = Self { flag: Arc::default(), registrations: Vec::new() };
        for signal in SIGNALS {
            interrupt.keep(flag::register(signal, Arc::clone(&interrupt.flag)))?;
        }
        Ok(interrupt)
    }

    /// Notes SIGINT and SIGTERM alone. The second of them ends this process at once, so it must have no children.
    #[cfg(feature = "cli")]
    pub(crate) fn watch_for_two() -> Result<Self, BenchError> {
        let mut interrupt = Self { flag: Arc::default(), registrations: Vec::new() };
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the first signal is noted after it was asked whether there was one before.
            let flag = &interrupt.flag;
            let second = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(flag));
            let first = flag::register(signal, Arc::clone(flag));
            interrupt.keep(second)?;
            interrupt.keep(first)?;
        }
        Ok(interrupt)
    }

    fn keep(&mut self, registered: std::io::Result<SigId>) -> Result<(), BenchError> {
        self.registrations.push(registered.map_err(BenchError::io("cannot watch for signals"))?);
        Ok(())
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
