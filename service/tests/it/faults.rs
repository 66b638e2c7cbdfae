//! A server under load that is killed, paused, restarted and cut off: nothing that was acknowledged is lost, and nothing counts
//! twice.

mod client;
mod proxy;
mod site;
mod talk;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use workbench::{Check, Counter};

use self::client::{Client, KEYED, PAIR, PLAIN, Planted, REPORTED, STOCK};
use self::site::{Act, Site};
pub(crate) use self::talk::Talk;
use crate::history::{Recorder, Reply};

/// How many clients there are.
const CLIENTS: usize = 6;
/// How many requests must be acknowledged between two acts.
const BETWEEN: u64 = 120;

/// What a run has shown.
struct Verdict {
    recorder: Recorder,
    repeated: u64,
    /// The rules that were broken, with the counter, in words.
    broken: Vec<(Check, String)>,
}

/// Lets the clients end when it is dropped, also by a failed assertion.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs clients while these acts are performed, and judges.
fn run(seed: u64, acts: &[Act], planted: Planted) -> Verdict {
    let (site, recorder) = (Site::start(seed), Recorder::new());
    let (is_over, repeated) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let _end = End(&is_over);
        for number in 0..CLIENTS {
            let (site, recorder, is_over, repeated) = (&site, &recorder, &is_over, &repeated);
            scope.spawn(move || {
                let mut client = Client::new(number, site, recorder, seed, planted);
                while !is_over.load(Ordering::Relaxed) {
                    client.act();
                }
                repeated.fetch_add(client.repeated, Ordering::Relaxed);
            });
        }
        for act in acts {
            recorder.wait_for_more(BETWEEN);
            site.perform(*act, &recorder, CLIENTS);
        }
        recorder.wait_for_more(BETWEEN);
    });
    // A request that was cut off may still be on its way to this process, but not to the next one.
    site.perform(Act::Restart, &recorder, 0);
    let before = read_finally(&site, &recorder);
    site.perform(Act::Kill, &recorder, 0);
    let after = read_finally(&site, &recorder);
    let broken = judge(&recorder, [before, after]);
    Verdict { recorder, repeated: repeated.into_inner(), broken }
}

/// Reads each counter over both protocols. Returns the values of the pair.
fn read_finally(site: &Site, recorder: &Recorder) -> [i64; 2] {
    let mut talk = Talk::to(site.address());
    let mut read = |counter: &'static str| {
        let asked = recorder.ask_finally(counter);
        let reply = talk.read(counter);
        recorder.answer(asked, &reply);
        let asked = recorder.ask_finally(counter);
        let same = talk.redis(redis::pipe().cmd("GET").arg(counter));
        recorder.answer(asked, &same);
        match reply {
            Reply::Done(value) => value,
            Reply::NotDone(problem) | Reply::Maybe(problem) => panic!("{counter} can't be read: {problem}"),
        }
    };
    for name in [PLAIN, KEYED, STOCK, REPORTED] {
        read(name);
    }
    PAIR.map(read)
}

fn judge(recorder: &Recorder, pairs: [[i64; 2]; 2]) -> Vec<(Check, String)> {
    let workload = |counter| if counter == STOCK { &Counter::Pn } else { &Counter::G };
    let mut broken = Vec::new();
    for counter in [PLAIN, KEYED, PAIR[0], PAIR[1], STOCK, REPORTED] {
        let violations = recorder.judge(counter, workload(counter));
        let tell = |violation: &workbench::Violation| {
            (violation.check, format!("{counter}: {}: {}", violation.check.name(), violation.text))
        };
        broken.extend(violations.examples().iter().map(tell));
    }
    for [left, right] in pairs.into_iter().filter(|[left, right]| left != right) {
        broken.push((Check::FinalReads, format!("a batch was done by half: {left} and {right}")));
    }
    broken
}

impl Verdict {
    fn breaks(&self, check: Check) -> bool {
        self.broken.iter().any(|(broken, _)| *broken == check)
    }

    fn assert_valid(&self) {
        let broken: Vec<_> = self.broken.iter().map(|(_, text)| text.as_str()).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// A line of a table.
    fn print(&self, what: &str) {
        let (done, not_done, maybe) = self.recorder.counts();
        let repeated = self.repeated;
        println!("| {what} | {done} | {not_done} | {maybe} | {repeated} | {} |", self.broken.len());
    }
}

const HEAD: &str = "| acts | acknowledged | refused | in doubt | repeated with a key | rules broken |
| --- | --- | --- | --- | --- | --- |";

#[test]
fn nothing_acknowledged_is_lost_and_nothing_counts_twice() {
    let acts = [Act::Kill, Act::Pause, Act::Restart, Act::Kill, Act::Restart, Act::Pause, Act::Kill];
    let verdict = run(16, &acts, Planted::Nothing);
    println!("{HEAD}");
    verdict.print("kill, pause, restart");
    verdict.assert_valid();
    assert!(verdict.repeated > 0 && verdict.recorder.counts().2 > 0, "the faults were felt");
}

/// A planted bug: what was acknowledged since the copy is lost.
#[test]
fn a_server_that_goes_back_is_found_out() {
    let verdict = run(1, &[Act::Copy, Act::GoBack], Planted::Nothing);
    assert!(verdict.breaks(Check::FinalReads), "acknowledged adds are lost");
    assert!(verdict.breaks(Check::MonotonicReads), "reads go back");
}

/// A planted bug: a client that does not know whether its add counts, and adds again.
#[test]
fn an_add_that_counts_twice_is_found_out() {
    let verdict = run(2, &[], Planted::RepeatWithoutKey);
    let doubled = verdict.broken.iter().any(|(check, text)| {
        *check == Check::FinalReads && text.starts_with(KEYED) && text.contains("too much was counted")
    });
    assert!(doubled, "adds that count twice: {:?}", verdict.broken);
}

/// Kills the server under load, `KILLS` times (100), which takes minutes, and prints what was counted.
#[test]
#[ignore = "it takes minutes"]
fn kills() {
    let kills = std::env::var("KILLS").map_or(100, |kills| kills.parse().expect("KILLS is a number"));
    let verdict = run(100, &vec![Act::Kill; kills], Planted::Nothing);
    println!("{HEAD}");
    verdict.print(&format!("{kills} kills"));
    verdict.assert_valid();
}
