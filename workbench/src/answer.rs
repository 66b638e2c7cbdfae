//! What a successful answer says.

use serde_json::{Map, Value};

/// The content of an answer that fits its schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Done; there is nothing to say.
    Done,
    /// A counter's value.
    Integer(i64),
    /// An echo or an id: any JSON value, in canonical text.
    Json(Box<str>),
    /// A set's elements, in ascending order, those that are there twice twice.
    Elements(Vec<u64>),
}

impl Answer {
    /// The content of one field. Says what is wrong with it if it is none.
    pub(crate) fn elements(value: &Value) -> Result<Self, String> {
        let items = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
        let element =
            |item: &Value| item.as_u64().ok_or_else(|| format!("{item} is nothing that anybody added"));
        let mut elements: Vec<u64> = items.iter().map(element).collect::<Result<_, _>>()?;
        elements.sort_unstable();
        Ok(Self::Elements(elements))
    }

    /// As JSON, where there is something to say.
    pub(crate) fn to_json(&self) -> Option<Value> {
        match self {
            Self::Done => None,
            Self::Integer(value) => Some((*value).into()),
            Self::Json(text) => serde_json::from_str(text).ok(),
            Self::Elements(elements) => Some(elements.clone().into()),
        }
    }
}

/// Checks a body against a closed schema: `type`, `in_reply_to`, perhaps `msg_id`, and `field` if there is one.
pub(crate) fn check_fields(body: &Map<String, Value>, field: Option<&str>) -> Result<(), String> {
    let known = |name: &str| matches!(name, "type" | "in_reply_to" | "msg_id") || Some(name) == field;
    if let Some(name) = body.keys().find(|name| !known(name)) {
        return Err(format!("a field {name} that should not be there"));
    }
    if body.get("msg_id").is_some_and(|id| !id.is_i64() && !id.is_u64()) {
        return Err("a msg_id that is no integer".into());
    }
    match field.filter(|field| !body.contains_key(*field)) {
        Some(field) => Err(format!("the field {field} is missing")),
        None => Ok(()),
    }
}
