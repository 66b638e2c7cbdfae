//! Commands are cut alike however their bytes come.

use proptest::prelude::*;

use super::*;

const MOST: usize = 100;

/// The commands that a connection cuts from these pieces, and why it ends, if it does.
fn cut(pieces: &[&[u8]], is_known: bool) -> (Vec<Vec<Vec<u8>>>, Option<BadRequest>) {
    let (mut requests, mut commands) = (Requests::new(MOST), Vec::new());
    for piece in pieces {
        requests.space().extend_from_slice(piece);
        loop {
            let needs_more = requests.parse(is_known);
            let cut = (0..requests.len()).map(|number| requests.command(number));
            commands.extend(cut.map(|command| command.from(0).map(<[u8]>::to_vec).collect()));
            assert!(needs_more || requests.bad().is_some() || requests.len() > 0, "it would parse for ever");
            if requests.bad().is_some() {
                return (commands, requests.bad());
            }
            requests.clear();
            if needs_more {
                break;
            }
        }
    }
    (commands, None)
}

/// Commands, and pieces of them, whole and broken.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = || prop::collection::vec(prop::sample::select(b"aZ09 \"'\\\r\n$*\0".to_vec()), 0..12);
    let bulk = |text: Vec<u8>| [format!("${}\r\n", text.len()).into_bytes(), text, b"\r\n".to_vec()].concat();
    let whole = prop::collection::vec(text(), 1..4).prop_map(move |texts| {
        let header = format!("*{}\r\n", texts.len()).into_bytes();
        [header].into_iter().chain(texts.into_iter().map(bulk)).flatten().collect()
    });
    let line = prop::sample::select(vec![
        "PING\r\n",
        "\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*2\r\n",
        "*101\r\n",
        "$4\r\n",
        "$x\r\n",
        "$-1\r\n",
        "$101\r\n",
        "POST /\r\n",
    ]);
    let long =
        (80..120_usize).prop_map(move |length| [b"*1\r\n".to_vec(), bulk(vec![b'x'; length])].concat());
    let piece = prop_oneof![
        8 => whole,
        2 => line.prop_map(|line| line.as_bytes().to_vec()),
        1 => long,
        1 => text(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn commands_are_the_same_however_the_bytes_are_cut(
        bytes in bytes(),
        lengths in prop::collection::vec(1..20_usize, 1..8),
        is_known: bool,
    ) {
        let (mut pieces, mut rest) = (Vec::new(), &*bytes);
        for length in lengths.iter().cycle() {
            let (piece, behind) = rest.split_at(rest.len().min(*length));
            pieces.push(piece);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(cut(&pieces, is_known), cut(&[&bytes], is_known));
    }
}

/// A connection reads if its requests need more bytes, and parses on if not. If the two were swapped, an idle connection would
/// never wait.
#[test]
fn more_bytes_are_needed_unless_a_command_is_whole_or_bad() {
    for part in
        ["", "*", "*2\r\n", "*1\r\n$4\r", "*1\r\n$4\r\nPING\r", "PING", "PING\r\n", "*1\r\n$4\r\nPING\r\n"]
    {
        let mut requests = Requests::new(MOST);
        requests.space().extend_from_slice(part.as_bytes());
        assert!(requests.parse(true), "{part:?}");
    }
    let mut requests = Requests::new(MOST);
    requests.space().extend_from_slice(&b"a\n".repeat(MAX_AT_A_TIME + 1));
    assert!(!requests.parse(true), "there are more commands than are handled at a time");
    assert_eq!(requests.len(), MAX_AT_A_TIME);
    requests.clear();
    assert!(requests.parse(true));
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_header_is_enough_to_refuse_an_argument() {
    for (bytes, is_known, refusal) in [
        ("*1\r\n$101\r\n", true, "invalid bulk length"),
        ("*1\r\n$99999999999999999999999\r\n", true, "invalid bulk length"),
        ("*1\r\n$16385\r\n", false, "invalid bulk length"),
        ("*2\r\n$40\r\n0123456789012345678901234567890123456789\r\n$90\r\n", true, "the command is too long"),
    ] {
        assert_eq!(cut(&[bytes.as_bytes()], is_known).1, Some(BadRequest::Protocol(refusal)), "{bytes:?}");
    }
}
