//! Disks that are full, read-only, damaged or failing, and directories that are in use: a clear error each, and nothing is lost.

mod silent;
mod tracer;
mod volume;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use workbench::{Counter, Request};

use self::tracer::Tracer;
use self::volume::Volume;
use crate::faults::Talk;
use crate::harness::{Counterd, NotStarted, Setup};
use crate::history::{Recorder, Reply};

const COUNTER: &str = "counted";

fn talk(counterd: &Counterd) -> Talk {
    Talk::to(counterd.address())
}

/// Adds 1, and records how that ended.
fn add(talk: &Talk, recorder: &Recorder) -> Reply {
    let asked = recorder.ask(0, &[(COUNTER, Request::add(1))]);
    let reply = talk.post(&format!("counters/{COUNTER}/add"), None, &json!({ "delta": 1 }));
    recorder.answer(asked, &reply);
    reply
}

/// Reads at the end, and judges.
fn judge(talk: &Talk, recorder: &Recorder) {
    let asked = recorder.ask_finally(COUNTER);
    recorder.answer(asked, &talk.read(COUNTER));
    let violations = recorder.judge(COUNTER, &Counter::G);
    let texts: Vec<_> = violations.examples().iter().map(|violation| &violation.text).collect();
    assert!(texts.is_empty(), "{texts:?}");
}

/// The status and the body of an answer.
fn get(counterd: &Counterd, path: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut response = ureq::Agent::from(config).get(format!("{}{path}", counterd.http)).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// Counts new counters until the log is full: so far a full disk stops nothing. The batch that meets the end is in doubt.
fn fill_log(talk: &Talk) {
    let batches = (0..100).map(|batch| {
        let names = (0..1000).map(|at| format!("{batch}:{at}:{}", "a long name ".repeat(15)));
        json!({ "adds": names.map(|name| json!({ "name": name, "delta": 1 })).collect::<Vec<_>>() })
    });
    let done = batches.take_while(|batch| matches!(talk.post("batch", None, batch), Reply::Done(_))).count();
    assert!((5..100).contains(&done), "the log has room for {done} batches");
}

/// Adds until an add is refused for certain. The add that meets the full disk first is counted already, and remains in doubt.
fn until_refused(talk: &Talk, recorder: &Recorder) -> String {
    let mut in_doubt = 0;
    for _ in 0..20_000 {
        match add(talk, recorder) {
            Reply::Done(_) => {}
            Reply::NotDone(problem) => return problem,
            Reply::Maybe(problem) if in_doubt > 0 => {
                panic!("one add is in doubt, the others are refused: {problem}")
            }
            Reply::Maybe(_) => in_doubt += 1,
        }
    }
    panic!("a full disk refuses adds");
}

fn assert_counted_no(refused: &str) {
    let problem: Value = serde_json::from_str(refused).unwrap();
    assert_eq!(problem["counted"], "no", "{refused}");
}

#[test]
fn a_full_disk_refuses_adds_and_goes_on_once_there_is_room() {
    let Some(volume) = Volume::mount("8m") else { return };
    let setup = Setup::new().on(&volume.data(), volume.starter());
    let (counterd, recorder) = (setup.start(), Recorder::new());
    let talk = talk(&counterd);
    assert!(matches!(add(&talk, &recorder), Reply::Done(1)));

    volume.fill();
    fill_log(&talk);
    assert_counted_no(&until_refused(&talk, &recorder));
    let keyed = talk.post("counters/keyed/add", Some("key"), &json!({ "delta": 1 }));
    let Reply::NotDone(refused) = keyed else { panic!("a full disk can't keep a key: {keyed:?}") };
    assert_counted_no(&refused);
    let (status, reason) = get(&counterd, "/readyz");
    assert_eq!(status, 503, "{reason}");
    assert!(reason.contains("disk"), "/readyz says why: {reason}");
    assert_eq!(get(&counterd, "/livez").0, 200);
    let acknowledged = recorder.counts().0;
    let value = json!(acknowledged);
    let (status, body) = get(&counterd, &format!("/v1/counters/{COUNTER}"));
    assert_eq!((status, &serde_json::from_str::<Value>(&body).unwrap()["value"]), (200, &value));

    volume.make_room();
    let goes_on = (0..100_000).any(|_| matches!(add(&talk, &recorder), Reply::Done(_)));
    assert!(goes_on, "once there is room adds are counted again, without a restart");
    assert_eq!(get(&counterd, "/readyz").0, 200);

    counterd.kill();
    let counterd = setup.start();
    judge(&self::talk(&counterd), &recorder);
}

#[test]
fn a_disk_without_room_for_the_database_is_named_as_such() {
    let Some(volume) = Volume::mount("2m") else { return };
    let setup = Setup::new().on(&volume.data(), volume.starter());
    let NotStarted { status, log } = setup.try_start().err().expect("there is no room for the log");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains(&*volume.data().to_string_lossy()) && log.contains("Make room"), "{log}");
}

#[test]
fn a_read_only_directory_is_refused_and_left_as_it_is() {
    let Some(volume) = Volume::mount("16m") else { return };
    let setup = Setup::new().on(&volume.data(), volume.starter());
    let counterd = setup.start();
    let recorder = Recorder::new();
    add(&talk(&counterd), &recorder);
    counterd.kill();
    let before = contents(&volume.seen_from_here());

    volume.remount("ro");
    let NotStarted { status, log } =
        setup.try_start().err().expect("a directory that is read-only is refused");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(
        log.contains(&*volume.data().to_string_lossy()) && log.to_lowercase().contains("read-only"),
        "{log}"
    );
    assert!(contents(&volume.seen_from_here()) == before, "the directory is as it was");

    volume.remount("rw");
    judge(&talk(&setup.start()), &recorder);
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let (setup, recorder) = (Setup::new(), Recorder::new());
    let counterd = setup.start();
    let talk = talk(&counterd);
    add(&talk, &recorder);
    let NotStarted { status, log } = setup.try_start().err().expect("a second process is refused");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("another counterd") && log.contains(&*setup.data().to_string_lossy()), "{log}");
    assert!(matches!(add(&talk, &recorder), Reply::Done(2)));
    counterd.kill();
    judge(&self::talk(&setup.start()), &recorder);
}

/// Bytes are flipped at many places. Either the file is refused and left as it is, or all that was counted is there.
#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let (setup, recorder) = (Setup::new(), Recorder::new());
    let counterd = setup.start();
    let client = talk(&counterd);
    let adds: Vec<_> = (0..300).map(|number| json!({ "name": format!("c{number}"), "delta": 1 })).collect();
    assert!(matches!(client.post("batch", None, &json!({ "adds": adds })), Reply::Done(_)));
    for _ in 0..5 {
        add(&client, &recorder);
    }
    assert!(counterd.terminate().success());
    let whole = contents(&setup.data());
    let (file, bytes) = whole.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();

    let mut refused = 0;
    for damaged in damages(bytes) {
        restore(&whole);
        std::fs::write(file, &damaged).unwrap();
        match setup.try_start() {
            Ok(counterd) => {
                assert_eq!(counterd.value(COUNTER), 5, "it opens with everything or not at all");
                let (_, body) = get(&counterd, "/v1/sum?prefix=c");
                assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["sum"], 305, "{body}");
            }
            Err(NotStarted { status, log }) => {
                refused += 1;
                assert_eq!(status.code(), Some(1), "{log}");
                assert!(log.contains(&*file.to_string_lossy()), "the message names the file: {log}");
                assert!(log.contains("counterd import"), "the message says what to do: {log}");
                assert!(std::fs::read(file).unwrap() == damaged, "the file is as it was");
            }
        }
    }
    assert!(refused > 0, "some damage is found");
    restore(&whole);
    judge(&talk(&setup.start()), &recorder);
}

/// The file with bytes flipped at 36 places, and cut off at some.
fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    // The log stands before the database, whose first pages hold what finds everything else in it.
    let database = 4096 + (4 << 20);
    let headers = (0..12).flat_map(|place| [place * 3, database + place * 37]);
    let rest = (1..13).map(|place| place * (bytes.len() / 13));
    let flipped = headers.chain(rest).map(|at| {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0x5a;
        damaged
    });
    let cut = [0, 1, 100, bytes.len() / 2].map(|length| bytes[..length].to_vec());
    flipped.chain(cut).collect()
}

/// A sync that fails ends the process, because nobody knows what is on the disk then. What was acknowledged is there.
#[test]
fn a_failed_sync_ends_the_process() {
    let (setup, recorder) = (Setup::new(), Recorder::new());
    let counterd = setup.start();
    let talk = talk(&counterd);
    for _ in 0..3 {
        assert!(matches!(add(&talk, &recorder), Reply::Done(_)));
    }
    let Some(_tracer) = Tracer::fail_syncs(&counterd) else { return };
    let reply = add(&talk, &recorder);
    assert!(matches!(reply, Reply::Maybe(_)), "an add whose sync fails may count: {reply:?}");
    let status = counterd.wait();
    assert_eq!(status.code(), Some(1), "{}", setup.log());
    assert!(setup.log().contains(&*setup.data().to_string_lossy()), "the file is named: {}", setup.log());
    judge(&self::talk(&setup.start()), &recorder);
}

/// The files of a directory, with their bytes.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut contents: Vec<_> = entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    contents.sort();
    contents
}

fn restore(files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        std::fs::write(path, bytes).unwrap();
    }
}
