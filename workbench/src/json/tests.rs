use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[test]
fn integers_are_exact() {
    let big = "340282366920938463463374607431768211457";
    assert_eq!(json(big).as_str(), big);
    assert_ne!(json(big), json("340282366920938463463374607431768211456"));
    assert_ne!(json("9223372036854775807"), json("9223372036854775808"));
    assert_eq!(json("-0"), json("0"));
    assert_eq!(
        (json("18446744073709551615").as_u64(), json("18446744073709551615").as_i64()),
        (Some(u64::MAX), None)
    );
}

#[test]
fn floats_are_doubles() {
    for (left, right) in [("1.0", "1e0"), ("100.0", "1E+2"), ("-0.0", "0.0"), ("0.1", "0.10")] {
        assert_eq!(json(left), json(right));
    }
    assert_eq!(json("0.1000000000000000055511151231257827").as_str(), "0.1");
    assert_ne!(json("1"), json("1.0"));
    assert_ne!(json("0.1"), json("0.10000000000000002"));
    assert_eq!((json("1e400").as_str(), json("-1e400").as_str()), ("1e999", "-1e999"));
    // The nearest double is not found by the fast and careless way.
    assert_eq!(json("31.245270191439438").as_str(), "31.245270191439438");
}

#[test]
fn objects_have_no_order_and_strings_no_style() {
    assert_eq!(json(r#" {"b" : [ ] , "a":{ }} "#).as_str(), r#"{"a":{},"b":[]}"#);
    assert_eq!(json(r#"{"a":1,"\u0061":2}"#).as_str(), r#"{"a":2}"#);
    assert_eq!(json(r#""\u00e9\/\n""#), json("\"é/\\u000a\""));
    assert_eq!(json(r#"["\\\"", "\\"]"#).as_str(), r#"["\\\"","\\"]"#);
    assert_ne!(json("[1,2]"), json("[2,1]"));
}

#[test]
fn half_a_surrogate_pair_stays_as_it_is() {
    let half = r#"{"\ud800":["\ud800"]}"#;
    assert_eq!(json(half).as_str(), half);
}

#[test]
fn what_is_no_json_is_refused() {
    for text in ["", " ", "nul", "01", "[1,]", "{\"a\"}", "1 2", "\"\n\"", "NaN", "{]"] {
        assert_eq!(Json::parse(text), Err(JsonError::NotJson), "{text}");
    }
}

#[test]
fn a_value_may_be_as_deep_as_maelstrom_reads_it() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let members = |depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for deep in [nested(Json::MAX_DEPTH), members(Json::MAX_DEPTH)] {
        assert_eq!(json(&deep).as_str(), deep);
    }
    for too_deep in [nested(Json::MAX_DEPTH + 1), members(Json::MAX_DEPTH + 1), nested(1_000_000)] {
        assert_eq!(Json::parse(&too_deep), Err(JsonError::TooDeep));
    }
}

/// The same by way of a tree.
#[derive(Clone, Debug)]
enum Tree {
    Word(&'static str),
    Integer(i128),
    Float(f64),
    String(String),
    List(Vec<Tree>),
    /// In the order in which they are written; none has the name of another.
    Object(Vec<(String, Tree)>),
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Word(left), Self::Word(right)) => left == right,
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::String(left), Self::String(right)) => left == right,
            (Self::List(left), Self::List(right)) => left == right,
            (Self::Object(left), Self::Object(right)) => {
                left.len() == right.len() && left.iter().all(|member| right.contains(member))
            }
            _ => false,
        }
    }
}

impl Tree {
    /// Written in one of two styles.
    fn write(&self, is_plain: bool) -> String {
        let escape = |text: &str| {
            let escaped = |unit: u16| format!("\\u{unit:04x}");
            let all: String = text.encode_utf16().map(escaped).collect();
            if is_plain { serde_json::to_string(text).unwrap() } else { format!("\"{all}\"") }
        };
        let comma = if is_plain { "," } else { " ,\n " };
        let list = |items: Vec<String>| items.join(comma);
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) if is_plain => format!("{number:e}"),
            Self::Float(number) => format!("{number:.400}"),
            Self::String(text) => escape(text),
            Self::List(items) => {
                format!("[{}]", list(items.iter().map(|item| item.write(is_plain)).collect()))
            }
            Self::Object(members) => {
                let member =
                    |(name, value): &(String, Self)| format!("{}: {}", escape(name), value.write(is_plain));
                let mut members: Vec<String> = members.iter().map(member).collect();
                if !is_plain {
                    members.reverse();
                }
                format!("{{{}}}", list(members))
            }
        }
    }
}

/// Few different leaves, so that equal values happen.
fn trees() -> impl Strategy<Value = Tree> {
    let name = || prop_oneof![Just("a"), Just("é\n"), Just("\"\\"), Just("𝄞")].prop_map(str::to_owned);
    let big = 1_i128 << 100;
    let leaf = prop_oneof![
        prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(Tree::Word),
        prop_oneof![-2_i128..3, big..big + 2, any::<i128>()].prop_map(Tree::Integer),
        prop_oneof![Just(1.0), Just(-0.0), Just(0.0), Just(0.1), Just(1e300), -1e3..1e3]
            .prop_map(Tree::Float),
        name().prop_map(Tree::String),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect())
                .prop_shuffle()
                .prop_map(Tree::Object),
        ]
    })
}

proptest! {
    #[test]
    fn equality_is_that_of_the_naive_version(left in trees(), right in trees()) {
        prop_assert_eq!(json(&left.write(true)), json(&left.write(false)));
        prop_assert_eq!(json(&left.write(true)) == json(&right.write(false)), left == right);
    }

    #[test]
    fn the_canonical_form_is_json_and_its_own(tree in trees()) {
        let once = json(&tree.write(false));
        prop_assert_eq!(&json(once.as_str()), &once);
        prop_assert_eq!(serde_json::to_string(&once).unwrap(), once.as_str());
    }
}
