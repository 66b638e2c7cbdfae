//! The pieces of messages: names, ids, numbers and claims, good ones and bad ones.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::json;

use super::world::World;

/// Zero in one of 32 cases, so that a step that ends a run does not come too soon.
#[derive(Debug)]
pub(super) struct Seldom(pub(super) u8);

impl<'a> Arbitrary<'a> for Seldom {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        bytes.arbitrary::<u8>().map(|n| Self(n % 32))
    }
}

#[derive(Debug, Arbitrary)]
pub(super) enum Name {
    Node(u8),
    Client(u8),
    Store,
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
pub(super) enum Id {
    None,
    Fresh,
    Small(u8),
    Asked(u8),
    Any(i64),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
pub(super) enum Number {
    Small(i8),
    Any(u64),
    Signed(i64),
    /// This much more than the node has counted.
    Own(i8),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
pub(super) struct Claim {
    pub(super) of: Of,
    pub(super) count: Number,
}

#[derive(Debug, Arbitrary)]
pub(super) enum Of {
    Own,
    Replica(u8, u8),
    Odd(u8),
}

#[derive(Debug, Arbitrary)]
pub(super) enum Record {
    Claims(Vec<Claim>),
    Pairs(Vec<(Claim, Number)>),
    Hinting { rows: Vec<Claim>, hints: Vec<Claim> },
    Odd(u8),
}

pub(super) const ODD_NAMES: [&str; 10] = [
    "",
    "n0#00000001",
    "n0/barrier",
    "a\"b",
    "a\\b",
    "\0",
    "ü",
    " ",
    "n0",
    "a name that is longer than any node's name may be, which is to say 64 bytes",
];

pub(super) const ODD_JSON: [&str; 14] = [
    "null",
    "true",
    "-0",
    "1.5",
    "1e400",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "\"\"",
    "[]",
    "{}",
    "[[[{\"a\":[null]}]]]",
    "\"00000001\"",
];

impl Name {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Node(n) => format!("n{}", n % 4),
            Self::Client(n) => format!("c{}", n % 4),
            Self::Store => "seq-kv".into(),
            Self::Odd(n) => pick(&ODD_NAMES, *n).into(),
        }
    }
}

impl Id {
    /// The field of this name, or nothing.
    pub(super) fn field(&self, name: &str, world: &mut World) -> String {
        let id = match self {
            Self::None => return String::new(),
            Self::Fresh => world.fresh_id().to_string(),
            Self::Small(id) => (id % 8).to_string(),
            Self::Asked(back) => world.asked(*back).unwrap_or_default().to_string(),
            Self::Any(id) => id.to_string(),
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        };
        format!(r#","{name}":{id}"#)
    }
}

impl Number {
    pub(super) fn json(&self, world: &World) -> String {
        match self {
            Self::Small(n) => n.to_string(),
            Self::Any(n) => n.to_string(),
            Self::Signed(n) => n.to_string(),
            Self::Own(more) => (i128::from(world.counted().0) + i128::from(*more)).to_string(),
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        }
    }
}

impl Of {
    pub(super) fn text(&self, world: &World) -> String {
        match self {
            Self::Own => world.own().unwrap_or_else(|| "n0#00000000".into()),
            Self::Replica(node, incarnation) => format!("n{}#{:08x}", node % 5, incarnation % 8),
            Self::Odd(which) => pick(&ODD_NAMES, *which).into(),
        }
    }
}

impl Record {
    pub(super) fn json(&self, world: &World) -> String {
        match self {
            Self::Claims(all) => claims(world, all),
            Self::Pairs(all) => {
                let pairs = all.iter().map(|(claim, down)| {
                    let (of, up) = (json!(claim.of.text(world)), claim.count.json(world));
                    format!("{of}:[{up},{}]", down.json(world))
                });
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }
            Self::Hinting { rows, hints } => {
                let hints = format!(r#""hints":{}"#, claims(world, hints));
                let rows = claims(world, rows);
                let comma = if rows == "{}" { "" } else { "," };
                format!("{}{comma}{hints}}}", rows.trim_end_matches('}'))
            }
            Self::Odd(which) => pick(&ODD_JSON, *which).into(),
        }
    }
}

/// Claims as a JSON object. It is written by hand because keys may be doubled.
pub(super) fn claims(world: &World, claims: &[Claim]) -> String {
    let rows: Vec<_> = claims
        .iter()
        .map(|claim| format!("{}:{}", json!(claim.of.text(world)), claim.count.json(world)))
        .collect();
    format!("{{{}}}", rows.join(","))
}

pub(super) fn pick<T: Copy>(all: &[T], which: u8) -> T {
    all[usize::from(which) % all.len()]
}
