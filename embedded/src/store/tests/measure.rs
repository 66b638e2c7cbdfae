//! Measurements. Not part of the tests: run them by
//!
//! ```sh
//! cargo test --profile hunt -p counter-embedded --lib measure -- --ignored --nocapture --test-threads 1
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "a measurement reads the clock")]
use std::time::Instant;

use replica::store::{Changes, Outcome, Revision, StoreRequest};
use replica::{ReplicaId, RowDelta};

use super::super::Store;

/// Where [`measure_opening`] finds the store.
const DIRECTORY: &str = "MEASURED_DIRECTORY";

type Counters = crdt::named::Counters<ReplicaId>;

/// A process that changes some of its counters a commit.
struct Process {
    store: Store,
    revision: u64,
    counters: Counters,
    replica: ReplicaId,
}

impl Process {
    fn new(dir: &Path) -> Self {
        let mut store = Store::open(dir).unwrap();
        let Outcome::Opened { revision: Revision(revision), .. } = store.request(StoreRequest::Open).unwrap()
        else {
            panic!("the store can't be opened")
        };
        let replica = "n0#00000001".parse().unwrap();
        Self { store, revision, counters: Counters::new(), replica }
    }

    /// Changes these counters.
    fn commit(&mut self, counters: impl Iterator<Item = u64>) {
        let version = self.counters.version(&self.replica);
        for at in counters {
            self.counters.add(self.replica.clone(), format!("page:{at:07}:views").as_str(), 1).unwrap();
        }
        let row = self
            .counters
            .row_since(&self.replica, version)
            .unwrap_or_else(|| RowDelta::new(self.replica.clone(), version, version));
        let changes = Changes { rows: vec![row], ..Changes::default() };
        let commit = StoreRequest::Commit { expect: Revision(self.revision), changes, owner: None };
        let outcome = self.store.request(commit).unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome}");
        self.revision += 1;
    }

    fn fold(&mut self) {
        while self.store.fold(0).unwrap() {}
    }
}

/// Runs `f` so many times and says how long it took: the median and 99 of 100.
fn times(count: usize, mut f: impl FnMut(u64)) -> (Duration, Duration) {
    let mut times: Vec<_> = (0..count as u64)
        .map(|at| {
            #[expect(clippy::disallowed_types, reason = "a measurement reads the clock")]
            let start = Instant::now();
            f(at);
            start.elapsed()
        })
        .collect();
    times.sort();
    (times[count / 2], times[count * 99 / 100])
}

/// A number of `/proc/self/status` or `/proc/self/io`.
fn of_process(file: &str, field: &str) -> u64 {
    let text = std::fs::read_to_string(Path::new("/proc/self").join(file)).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The processor time of this process so far, whatever else the machine does.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = text.rsplit_once(')').unwrap_or_default().1;
    let hundredths = behind_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok());
    Duration::from_millis(hundredths.sum::<u64>() * 10)
}

#[test]
#[ignore = "a measurement"]
fn measure_commits() {
    const COUNT: usize = 1000;
    let dir = tempfile::tempdir().unwrap();
    let mut file = OpenOptions::new().create_new(true).append(true).open(dir.path().join("plain")).unwrap();
    file.write_all(&[0; 4096]).unwrap();
    let (median, p99) = times(COUNT, |at| {
        file.write_all(&at.to_le_bytes()).unwrap();
        File::sync_data(&file).unwrap();
    });
    println!("append 8 bytes and fdatasync: {median:?}, p99 {p99:?}");
    for known in [1_000, 100_000] {
        for changes in [1, 25, 1000] {
            let mut process = Process::new(&dir.path().join(format!("{known} {changes}")));
            for at in 0..known / 1000 {
                process.commit(at * 1000..(at + 1) * 1000);
            }
            process.fold();
            let before =
                (process.store.figures(), of_process("io", "write_bytes:"), of_process("io", "syscw:"));
            let cpu_before = cpu_time();
            let (median, p99) = times(COUNT, |at| {
                process.commit((0..changes).map(|n| (at * changes + n) * 7919 % known));
            });
            let cpu = cpu_time().saturating_sub(cpu_before) / u32::try_from(COUNT).unwrap();
            let after =
                (process.store.figures(), of_process("io", "write_bytes:"), of_process("io", "syscw:"));
            let each = |before: u64, after: u64| (after - before) / COUNT as u64;
            println!(
                "{changes} changes of {known} counters: {median:?}, p99 {p99:?}, {cpu:?} of a processor; a commit has {} bytes of log, {} bytes on disk; \
                 {} writes and {} syncs in {COUNT}; the file has {} bytes",
                after.0.log_bytes.saturating_sub(before.0.log_bytes) / COUNT as u64,
                each(before.1, after.1),
                after.2 - before.2,
                after.0.syncs - before.0.syncs,
                after.0.file_bytes,
            );
            let log = after.0.log_bytes;
            let mut slices = Vec::new();
            loop {
                let (time, _) = times(1, |_| slices.push((Duration::ZERO, process.store.fold(0).unwrap())));
                let last = slices.last_mut().unwrap();
                last.0 = time;
                if !last.1 {
                    break;
                }
            }
            slices.sort();
            println!(
                "  folding {log} bytes: {} slices, median {:?}, longest {:?}; the file has {} bytes",
                slices.len(),
                slices[slices.len() / 2].0,
                slices[slices.len() - 1].0,
                process.store.figures().file_bytes,
            );
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn measure_a_million_counters() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::new(dir.path());
    for at in 0..1000 {
        process.commit(at * 1000..(at + 1) * 1000);
        process.store.fold(0).unwrap();
    }
    process.fold();
    // Random changes, so that no chunk is as it was first written.
    for at in 0..100 {
        process.commit((0..1000).map(|n| (at * 1000 + n) * 7919 % 1_000_000));
        process.store.fold(0).unwrap();
    }
    process.fold();
    let figures = process.store.figures();
    println!("a million counters: {} bytes, {} of log", figures.file_bytes, figures.log_bytes);
    drop(process);
    // A process of its own, whose memory has nothing else.
    let opens = Command::new(std::env::current_exe().unwrap())
        .args(["measure_opening", "--ignored", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .status();
    assert!(opens.unwrap().success());
}

#[test]
#[ignore = "a part of a measurement"]
fn measure_opening() {
    let Some(dir) = std::env::var_os(DIRECTORY) else { return };
    let before = of_process("status", "VmRSS:");
    let mut store = None;
    let (time, _) = times(1, |_| store = Some(Store::open(Path::new(&dir)).unwrap()));
    let opened = store.unwrap().request(StoreRequest::Open).unwrap();
    println!(
        "opened in {time:?}, {:?} of it on a processor; memory: {before} KiB before, {} with the record, {} at the most",
        cpu_time(),
        of_process("status", "VmRSS:"),
        of_process("status", "VmHWM:"),
    );
    let Outcome::Opened { record: Some(record), .. } = opened else { panic!("{opened}") };
    assert_eq!(record.rows.values().map(RowDelta::len).sum::<usize>(), 1_000_000);
}
