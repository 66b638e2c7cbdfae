use super::*;
use crate::service::ServiceName;

/// One message a second. Each is received half a second later, and noted only once all are sent.
fn run(recent: usize, archived: usize, count: u64, marks: &[u64]) -> Trace {
    let mut trace = Trace::keeping(Bounds { recent, archived, written: 10 });
    let ends = [Endpoint::Node(300), Endpoint::Client(7), Endpoint::Service(ServiceName::LinKv)];
    for id in 0..count {
        let place = usize::try_from(id).unwrap();
        let (src, dest) = (ends[place % 3], ends[(place + 1) % 3]);
        trace.sent(Duration::from_secs(id), id, src, dest, &format!(r#"{{"type":"add","delta":{id}}}"#));
        if marks.contains(&id) {
            trace.mark(Duration::from_secs(id));
        }
    }
    (0..count).for_each(|id| trace.received(Duration::from_millis(id * 1000 + 500), id));
    trace
}

fn ids(messages: &[TracedMessage]) -> Vec<u64> {
    messages.iter().map(|message| message.id).collect()
}

#[test]
fn old_messages_are_kept_as_they_were() {
    let (packed, plain) = (run(10, 1 << 20, 2000, &[]), run(2000, 0, 2000, &[]));
    assert_eq!(packed.between(0, 2000), plain.between(0, 2000));
    assert_eq!((packed.omitted(), packed.count()), (0, 2000));
    for message in packed.between(0, 2000) {
        assert_eq!(message.received, Some(message.sent + Duration::from_millis(500)));
    }
}

#[test]
fn messages_around_a_moment() {
    let trace = run(300, 1 << 20, 2000, &[]);
    for at in [5, 255, 256, 1000, 1535, 1700, 1999] {
        let found = ids(&trace.around(Duration::from_secs(at), 3, 2));
        let expected = (at.saturating_sub(2)..=at + 2).filter(|id| *id < 2000);
        assert_eq!(found, expected.collect::<Vec<_>>(), "{at}");
    }
}

/// The moment of a violation is always there, however long the run.
#[test]
fn a_trace_that_is_full_thins_out_evenly_and_keeps_the_marked_moments() {
    let marks = [20_001, 77_777];
    let trace = run(1000, 20_000, 100_000, &marks);
    assert!(trace.omitted() > 50_000, "{}", trace.omitted());
    for mark in marks {
        let found = trace.around(Duration::from_secs(mark), 100, 100);
        assert_eq!(ids(&found), (mark - 99..=mark + 100).collect::<Vec<_>>());
    }
    let kept = ids(&trace.between(0, 100_000));
    assert_eq!(kept.len() as u64, 100_000 - trace.omitted());
    assert!(kept.windows(2).all(|pair| pair[1] - pair[0] < 40_000), "an even sample");
}

#[test]
fn a_file_says_how_many_were_left_out_and_where() {
    let write = |trace: &Trace| {
        let mut lines = Vec::new();
        trace.write_jsonl(&mut lines).unwrap();
        String::from_utf8(lines).unwrap()
    };
    let lines = write(&run(100, 1 << 20, 10_000, &[5000]));
    assert_eq!(lines.lines().count(), 10 + 1 + 2000 + 1 + 10);
    assert_eq!(lines.lines().nth(10), Some(r#"{"omitted":3991}"#));
    assert_eq!(lines.lines().nth(2011), Some(r#"{"omitted":3989}"#));
    assert!(!write(&run(5, 1 << 20, 15, &[])).contains("omitted"));
}

#[test]
fn a_long_body_is_cut_also_within_a_character() {
    let mut trace = Trace::default();
    let body = format!("a{}", "é".repeat(Trace::BODY));
    trace.sent(Duration::ZERO, 0, Endpoint::Node(0), Endpoint::Node(1), &body);
    assert_eq!(trace.between(0, 1)[0].body.len(), Trace::BODY - 1);
}

/// A run of ten million usual messages is kept whole.
#[test]
#[ignore = "it takes some seconds"]
fn ten_million_messages_fit() {
    let mut trace = Trace::default();
    for id in 0..10_000_000_u64 {
        let (now, node) = (Duration::from_micros(id * 37), Endpoint::Node(usize::try_from(id % 5).unwrap()));
        let body = match id % 4 {
            0 => format!(r#"{{"type":"add","delta":{},"msg_id":{}}}"#, id * 7919 % 5, id / 4),
            1 => format!(r#"{{"type":"add_ok","in_reply_to":{}}}"#, id / 4),
            2 => format!(r#"{{"type":"read","msg_id":{}}}"#, id / 4),
            _ => format!(r#"{{"type":"read_ok","value":{},"in_reply_to":{}}}"#, id / 2, id / 4),
        };
        trace.sent(now, id, node, Endpoint::Client(id % 17), &body);
        trace.received(now + Duration::from_micros(id * 104_729 % 3000), id);
    }
    assert_eq!(trace.omitted(), 0, "{} bytes", trace.older.size());
    println!("{} MB", trace.older.size() >> 20);
    assert_eq!(trace.around(Duration::from_secs(185), 50, 50).len(), 100);
}
