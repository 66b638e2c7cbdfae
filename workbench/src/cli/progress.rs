//! The progress line: a bar on a terminal, a plain line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::host::process::Progress;

/// How often a plain line is printed.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Shows on standard error how far a run is.
#[derive(Debug)]
pub(super) struct ProgressLine {
    bar: Option<ProgressBar>,
    next_plain: Duration,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(bar);
        Self { bar, next_plain: PLAIN_INTERVAL }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        progress.findings.iter().for_each(|finding| self.tell(finding));
        if let Some(bar) = &self.bar {
            bar.set_length(millis(progress.expected));
            bar.set_position(millis(progress.elapsed.min(progress.expected)));
            bar.set_message(describe(progress));
        } else if progress.elapsed >= self.next_plain {
            self.next_plain += PLAIN_INTERVAL;
            let seconds = progress.elapsed.as_secs();
            // If standard error is closed there is no one to tell.
            let _ = writeln!(std::io::stderr(), "{seconds} s  {}", describe(progress));
        }
    }
}

impl ProgressLine {
    /// Prints a finding above the bar.
    fn tell(&self, finding: &str) {
        match &self.bar {
            Some(bar) => bar.println(finding),
            // If standard error is closed there is no one to tell.
            None => drop(writeln!(std::io::stderr(), "{finding}")),
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {bar:30} {wide_msg}");
    ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn describe(progress: &Progress) -> String {
    let mut parts = vec![progress.phase.to_owned(), format!("{} operations", progress.operations)];
    if progress.violations > 0 {
        parts.push(format!("{} violations", progress.violations));
    }
    if !progress.faults.is_empty() {
        parts.push(progress.faults.clone());
    }
    parts.join(", ")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
