//! The body of a message. Its members are read only when they are needed.

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::envelope::short;
use crate::json::{Json, JsonError, Kind};

/// The members of a JSON object, each as it was written. If two have the same name the last counts, as in Maelstrom.
#[derive(Clone, Debug)]
pub(crate) struct Body<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Body<'a> {
    /// `None` if the text is no object, or the name of a member no text.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A member as it was written.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|member| member.0 == name).map(|(_, raw)| raw.get())
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

    /// The names of all members, in the order of the text.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
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

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// A name that is copied only if it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        const USUAL: usize = 8;
        let mut members = Vec::with_capacity(USUAL);
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Body(members))
    }
}

/// For a field that may be missing, but not null.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}
