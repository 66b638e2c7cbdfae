use super::*;
use crate::message::{Outgoing, Say};

fn line(message: &Outgoing<'_>) -> String {
    let mut out = Vec::new();
    encode("n0", message, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_answer_is_a_line_of_its_own_with_all_its_fields() {
    for (say, body) in [
        (Say::InitOk, r#""type":"init_ok","in_reply_to":7"#),
        (Say::AddOk, r#""type":"add_ok","in_reply_to":7"#),
        (Say::ReadOk(-5), r#""type":"read_ok","in_reply_to":7,"value":-5"#),
        (
            Say::Error(ErrorCode::Abort, "no \"more\"".into()),
            r#""type":"error","in_reply_to":7,"code":14,"text":"no \"more\"""#,
        ),
    ] {
        let message = Outgoing::answer("c1", Some(7), say);
        assert_eq!(line(&message), format!("{{\"src\":\"n0\",\"dest\":\"c1\",\"body\":{{{body}}}}}\n"));
    }
}

#[test]
fn every_request_is_a_line_of_its_own_with_all_its_fields() {
    let (key, record) = ("n0".into(), || raw(r#"{"n0#00000001":3}"#.into()).into());
    let cas = |from| Say::StoreCas { key: "n0".into(), from, to: record() };
    for (say, body) in [
        (Say::StoreRead(key), r#""type":"read","msg_id":7,"key":"n0""#),
        (
            cas(None),
            r#""type":"cas","msg_id":7,"key":"n0","from":null,"to":{"n0#00000001":3},"create_if_not_exists":true"#,
        ),
        (
            cas(Some(record())),
            r#""type":"cas","msg_id":7,"key":"n0","from":{"n0#00000001":3},"to":{"n0#00000001":3}"#,
        ),
        (
            Say::StoreWrite { key: "n0/barrier".into(), value: "new".into() },
            r#""type":"write","msg_id":7,"value":"new","key":"n0/barrier""#,
        ),
    ] {
        let message = Outgoing::request("n1", 7, say);
        assert_eq!(line(&message), format!("{{\"src\":\"n0\",\"dest\":\"n1\",\"body\":{{{body}}}}}\n"));
    }
}

fn frame() -> Frame {
    let replica: ReplicaId = "n1#00000001".parse().unwrap();
    let rows = vec![Tally { up: 3, down: 2 }.row(replica.clone())];
    let claim = Claim { rows, unstored: [replica].into(), part: None };
    Frame {
        id: Some(FrameId(7)),
        confirms: Some(FrameId(5)),
        ..Frame::new("00000009".parse().unwrap(), claim)
    }
}

#[test]
fn a_frame_is_read_as_it_was_written() {
    let answer = Frame { id: None, answers: Some(FrameId(8)), confirms: None, ..frame() };
    let empty = Frame { claim: Claim::default(), ..answer.clone() };
    let replica = || "n0#00000002".parse().unwrap();
    let asks = Frame {
        id: Some(FrameId(7)),
        answers: None,
        inquiry: Some(Inquiry::Asks(replica(), 0)),
        ..empty.clone()
    };
    let holds = |up, down| Frame {
        inquiry: Some(Inquiry::Holds(Tally { up, down }.row(replica()))),
        ..empty.clone()
    };
    let refuses = Frame { refused: [replica(), "n9#00000001".parse().unwrap()].into(), ..empty.clone() };
    let doubts = Frame { doubts: true, ..empty.clone() };
    for (frame, body) in [
        (
            frame(),
            r#""type":"gossip","msg_id":7,"epoch":"00000009","ack":5,"counts":{"n1#00000001":3},"minus":{"n1#00000001":2},"unstored":["n1#00000001"]"#,
        ),
        (
            answer,
            r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009","counts":{"n1#00000001":3},"minus":{"n1#00000001":2},"unstored":["n1#00000001"]"#,
        ),
        (empty.clone(), r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009""#),
        (doubts, r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009","doubts":true"#),
        (asks, r#""type":"gossip","msg_id":7,"epoch":"00000009","asks":"n0#00000002""#),
        (holds(41, 0), r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009","holds":{"n0#00000002":41}"#),
        (
            holds(0, 7),
            r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009","holds":{"n0#00000002":[0,7]}"#,
        ),
        (
            refuses,
            r#""type":"gossip_ok","in_reply_to":8,"epoch":"00000009","refused":["n0#00000002","n9#00000001"]"#,
        ),
    ] {
        let written = line(&Outgoing::frame("n1", frame.clone()));
        assert_eq!(written, format!("{{\"src\":\"n0\",\"dest\":\"n1\",\"body\":{{{body}}}}}\n"));
        let message = decode(written.as_bytes(), &Rows::new()).ok().unwrap();
        let Body::Frame(read) = message.body else { panic!("no frame: {written}") };
        assert_eq!((&*message.src, *read), ("n0", frame));
    }
}

fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap()
}

#[test]
fn scalars_are_read_up_to_their_bound_and_lists_beyond() {
    let string = |length: usize| raw(format!("\"{}\"", "x".repeat(length - 2)));
    assert!(read::<String>("text", &string(LONGEST_SCALAR)).is_ok());
    let problem = read::<String>("text", &string(LONGEST_SCALAR + 1)).err().unwrap().0;
    assert!(problem.ends_with("too long") && problem.len() < 200, "{problem}");
    let list = raw(format!("[{}0]", "0,".repeat(LONGEST_SCALAR)));
    assert_eq!(read::<Vec<u8>>("list", &list).ok().unwrap().len(), LONGEST_SCALAR + 1);
}

/// A list of 200 names is quoted in a longer text than any other scalar may have.
#[test]
fn a_refusal_that_quotes_a_long_record_is_one() {
    let text = "x".repeat(LONGEST_SCALAR);
    let line = format!(
        r#"{{"src":"seq-kv","dest":"n0","body":{{"type":"error","in_reply_to":7,"code":22,"text":"{text}"}}}}"#
    );
    let Ok(Message { body: Body::Reply(id, Reply::Error { code, text }), .. }) =
        decode(line.as_bytes(), &Rows::new())
    else {
        panic!("it is no error")
    };
    assert!(id == 7 && code == 22 && text.starts_with("\"xxx") && text.len() < 200, "{text}");
}

#[test]
fn a_text_is_cut_after_80_characters() {
    let (short, long) = ("ü".repeat(80), "ü".repeat(81));
    assert_eq!(cut(&short), short);
    assert_eq!(cut(&long), format!("{short}… (162 bytes)"));
}

#[test]
fn an_addressee_with_an_impossible_name_is_none() {
    let line = |name: &str| format!(r#"{{"dest":"{name}","src":"c1","body":{{}}}}"#);
    let longest = "n".repeat(MAX_NAME);
    assert_eq!(addressee(line(&longest).as_bytes()), Some(longest.clone()));
    assert_eq!(addressee(line(&(longest + "n")).as_bytes()), None);
    assert_eq!(addressee(br#"{"src":"c1"}"#), None);
}

#[test]
fn the_list_of_unstored_replicas_is_no_longer_than_the_counts() {
    let gossip = |unstored: &str| {
        let counts = r#""counts":{"n1#00000001":7}"#;
        let body = format!(r#"{{"type":"gossip","epoch":"00000001",{counts},"unstored":{unstored}}}"#);
        let line = format!(r#"{{"src":"n1","dest":"n0","body":{body}}}"#);
        decode(line.as_bytes(), &Rows::new()).is_ok()
    };
    assert!(gossip(r#"[  "n1#00000001"]"#), "as long");
    assert!(!gossip(r#"[   "n1#00000001"]"#), "longer");
}

#[test]
fn an_inquiry_that_makes_no_sense_is_malformed() {
    let gossip = |fields: &str| {
        let line =
            format!(r#"{{"src":"n1","dest":"n0","body":{{"type":"gossip","epoch":"00000001",{fields}}}}}"#);
        decode(line.as_bytes(), &Rows::new()).is_ok()
    };
    assert!(gossip(r#""asks":"n1#00000001""#) && gossip(r#""holds":{"n1#00000001":7}"#));
    for fields in [
        r#""asks":"n1""#,
        r#""asks":["n1#00000001"]"#,
        r#""asks":"/nodes#00000001""#,
        r#""holds":{}"#,
        r#""holds":{"n1#00000001":7,"n1#00000002":7}"#,
        r#""holds":{"n1#00000001":-7}"#,
        r#""holds":{"n1#00000001":[7]}"#,
        r#""holds":{"n1":7}"#,
        r#""holds":7"#,
        r#""asks":"n1#00000001","holds":{"n1#00000001":7}"#,
    ] {
        assert!(!gossip(fields), "{fields} was read");
    }
    let long = |spaces: usize| format!(r#""holds":{{"n1#00000001":7{}}}"#, " ".repeat(spaces));
    let room = LONGEST_SCALAR - r#"{"n1#00000001":7}"#.len();
    assert!(gossip(&long(room)) && !gossip(&long(room + 1)));
}

#[test]
fn replicas_of_nodes_that_cannot_exist_are_malformed() {
    let gossip = |field: &str, name: &str| {
        let list = format!(r#""counts":{{"n1#00000001":7}},"{field}""#);
        let fields = match field {
            "refused" => format!(r#"{list}:["{name}#00000001"]"#),
            _ => format!(r#""{field}":{{"{name}#00000001":7}}"#),
        };
        let line =
            format!(r#"{{"src":"n1","dest":"n0","body":{{"type":"gossip","epoch":"00000001",{fields}}}}}"#);
        decode(line.as_bytes(), &Rows::new()).is_ok()
    };
    for field in ["counts", "minus", "holds", "refused"] {
        assert!(gossip(field, "unlisted") && gossip(field, &"n".repeat(MAX_NAME)), "{field}");
        for name in ["", "seq-kv", "n1/barrier", &"n".repeat(MAX_NAME + 1)] {
            assert!(!gossip(field, name), "{field}: {name:?} was read");
        }
    }
}

#[test]
fn no_more_replicas_are_refused_than_a_node_tells() {
    let gossip = |count: usize| {
        let names: Vec<_> = (0..count).map(|n| format!(r#""n1#{n:08x}""#)).collect();
        let fields = format!(r#""refused":[{}]"#, names.join(","));
        let line =
            format!(r#"{{"src":"n1","dest":"n0","body":{{"type":"gossip","epoch":"00000001",{fields}}}}}"#);
        decode(line.as_bytes(), &Rows::new()).is_ok()
    };
    assert!(gossip(MAX_REPLICAS + 1) && !gossip(MAX_REPLICAS + 2));
}

#[test]
fn of_known_replicas_only_those_that_are_stated_are_read() {
    let id = |number: u32| format!("n{number}#00000001").parse::<ReplicaId>().unwrap();
    let mut known = Rows::new();
    for number in 0..3 {
        known.apply(&Tally { up: 5, down: 2 }.row(id(number))).unwrap();
    }
    let read = |counts: &str, minus: &str| {
        let fields = format!(r#""type":"gossip","epoch":"00000009","counts":{counts},"minus":{minus}"#);
        let line = format!(r#"{{"src":"n1","dest":"n0","body":{{{fields}}}}}"#);
        let Body::Frame(frame) = decode(line.as_bytes(), &known).ok().unwrap().body else { panic!("{line}") };
        frame.claim.rows.iter().map(|row| (row.actor().clone(), Tally::stated(row))).collect::<Vec<_>>()
    };
    assert_eq!(read(r#"{"n1#00000001":7}"#, "{}"), [(id(1), Tally { up: 7, down: 2 })], "half a row");
    assert_eq!(read(r#"{"n1#00000001":5}"#, "{}"), [(id(1), Tally { up: 5, down: 0 })], "an old row");
    assert_eq!(read("{}", r#"{"n2#00000001":9}"#), [(id(2), Tally { up: 5, down: 9 })]);
    assert_eq!(read(r#"{"n9#00000001":0}"#, "{}"), [], "a row of nothing");
}
