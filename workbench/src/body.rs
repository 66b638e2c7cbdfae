//! The body of a message. Its members are read only when they are needed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::envelope::short;
use crate::json::{Json, JsonError, Kind};

/// The members of a JSON object, each as it was written. If two have the same name it keeps the last, as Maelstrom does.
#[derive(Clone, Debug)]
pub(crate) struct Body<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Body<'a> {
    /// `None` if the text is no object, or the name of a member no text.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A member as it was written.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get())
    }

    /// A member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// A member that is an integer of 64 bits and not negative.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// A member as a value; null if it is missing, as in Maelstrom.
    pub(crate) fn json(&self, name: &str) -> Result<Json, JsonError> {
        self.get(name).map_or_else(|| Ok(Json::null()), Json::parse)
    }

    /// The names of all members, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Describes a member that is wrong: `msg_id is "x", a string`.
    pub(crate) fn tell(&self, name: &str) -> String {
        let Some(raw) = self.get(name) else { return format!("{name} is missing") };
        let kind = match Kind::of(raw) {
            Kind::Null => return format!("{name} is null"),
            Kind::Boolean => "a boolean",
            Kind::Integer if raw.parse::<i128>().is_ok_and(|it| i64::try_from(it).is_ok()) => "an integer",
            Kind::Integer => "an integer that 64 bits can't hold",
            Kind::Float => "a float",
            Kind::String => "a string",
            Kind::List => "a list",
            Kind::Object => "an object",
        };
        format!("{name} is {}, {kind}", short(raw))
    }
}

/// For a field that may be missing, but not null.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}
