//! The content of successful answers.

use crate::body::Body;
use crate::envelope::short;
use crate::json::{Json, Kind};

/// The content of an answer that fits its schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The request was done, and the answer has no content.
    Done,
    /// A counter's value.
    Integer(i64),
    /// A counter's value that 64 bits can't hold. So it is no sum of adds.
    Huge(Json),
    /// An echo, an id or the value of a key.
    Json(Json),
    /// The elements of a set.
    Elements(Elements),
}

/// The elements that a set shows, in ascending order. An element that it shows twice is here twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elements {
    /// Integers from 0 to 2^64 - 1: the bench adds no others.
    pub numbers: Vec<u64>,
    /// All others.
    pub others: Vec<Json>,
}

impl Elements {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.numbers.len() + self.others.len()
    }

    fn of(items: Vec<Json>) -> Self {
        let mut elements = Self::default();
        for item in items {
            match item.as_u64() {
                Some(number) => elements.numbers.push(number),
                None => elements.others.push(item),
            }
        }
        elements.numbers.sort_unstable();
        elements.others.sort_unstable();
        elements
    }
}

impl Answer {
    /// The integer in that field. Says what is wrong with it if it is none.
    pub(crate) fn integer(body: &Body<'_>, field: &str) -> Result<Self, String> {
        let raw = body.get(field).unwrap_or("null");
        match raw.parse() {
            Ok(value) => Ok(Self::Integer(value)),
            Err(_) if Kind::of(raw) == Kind::Integer => {
                Json::parse(raw).map(Self::Huge).map_err(|error| error.to_string())
            }
            Err(_) => Err(format!("{}; give an integer", body.tell(field))),
        }
    }

    /// Any value in that field.
    pub(crate) fn json(body: &Body<'_>, field: &str) -> Result<Self, String> {
        body.json(field).map(Self::Json).map_err(|error| format!("{field} can't be read: {error}"))
    }

    /// The elements in that field.
    pub(crate) fn elements(body: &Body<'_>, field: &str) -> Result<Self, String> {
        match Json::items(body.get(field).unwrap_or("null")) {
            None => Err(format!("{}; give a list", body.tell(field))),
            Some(Err(error)) => Err(format!("{field} can't be read: {error}")),
            Some(Ok(items)) => Ok(Self::Elements(Elements::of(items))),
        }
    }

    /// The content as JSON, if there is any.
    pub(crate) fn to_json(&self) -> Option<Json> {
        match self {
            Self::Done => None,
            Self::Integer(value) => Some(Json::canonical(value.to_string())),
            Self::Huge(json) | Self::Json(json) => Some(json.clone()),
            Self::Elements(Elements { numbers, others }) => {
                let numbers = numbers.iter().map(u64::to_string);
                let items: Vec<String> = numbers.chain(others.iter().map(Json::to_string)).collect();
                Some(Json::canonical(format!("[{}]", items.join(","))))
            }
        }
    }
}

/// Checks a body against a closed schema: `type`, `in_reply_to`, perhaps `msg_id`, and `field` if there is one.
pub(crate) fn check_fields(body: &Body<'_>, field: Option<&str>) -> Result<(), String> {
    let is_integer = |name| body.get(name).is_some_and(|raw| Kind::of(raw) == Kind::Integer);
    if !is_integer("in_reply_to") {
        let problem = body.tell("in_reply_to");
        return Err(format!("{problem}; give the msg_id of the request, an integer, as it came"));
    }
    let is_known = |name: &str| matches!(name, "type" | "in_reply_to" | "msg_id") || Some(name) == field;
    let strangers: Vec<&str> = body.names().filter(|name| !is_known(name)).collect();
    match strangers.as_slice() {
        [] => {}
        [one] => return Err(format!("the field {} should not be there", short(one))),
        more => return Err(format!("the fields {} should not be there", short(&more.join(", ")))),
    }
    if body.get("msg_id").is_some() && !is_integer("msg_id") {
        return Err(format!("{}; leave it out or give an integer", body.tell("msg_id")));
    }
    match field.filter(|field| body.get(field).is_none()) {
        Some(field) => Err(format!("the field {field} is missing")),
        None => Ok(()),
    }
}
