//! JSON values that the bench only carries and compares, kept exactly.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON value of any kind. Two values are equal if Maelstrom finds them equal:
///
/// * Integers are compared and kept exactly, however many digits they have.
/// * A number with a point or an exponent is a double, as in Maelstrom: `1.0` and `1e0` are equal, `1` and `1.0` are not.
///   `-0.0` becomes `0.0`, and a number beyond all doubles becomes `1e999` or `-1e999`.
/// * Strings are compared by their content, not by how it is escaped.
/// * Objects are compared without regard to the order of their members. If two members have one name, the last counts.
///
/// The value is kept as text in a canonical form, so that equal values have equal texts. A clone copies no text.
///
/// ```
/// use workbench::Json;
///
/// let id = Json::parse("340282366920938463463374607431768211457").unwrap();
/// assert_ne!(id, Json::parse("340282366920938463463374607431768211456").unwrap());
/// assert_eq!(Json::parse(r#"{"b": "\u0061", "a": 1e0}"#).unwrap().as_str(), r#"{"a":1.0,"b":"a"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Json(Arc<str>);

/// Why a text is no [`Json`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is not JSON.
    #[error("it is not JSON")]
    NotJson,
    /// Lists and objects are nested deeper than [`Json::MAX_DEPTH`].
    #[error("it is nested more than {} deep", Json::MAX_DEPTH)]
    TooDeep,
}

/// The kinds of JSON values. Numbers with a point or an exponent are floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Float,
    String,
    List,
    Object,
}

impl Json {
    /// How deep lists and objects may be nested: as deep as Maelstrom's JSON library reads them.
    pub const MAX_DEPTH: usize = 1000;

    /// Reads one JSON value, with or without space around it. The time is proportional to the length, except that values
    /// nested in objects are copied once for each object around them.
    ///
    /// # Errors
    /// If the text is not JSON, or nested too deep.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| JsonError::NotJson)?;
        let mut out = String::with_capacity(raw.get().len());
        Reader { rest: raw.get() }.value(Self::MAX_DEPTH, &mut out)?;
        Ok(Self(out.into()))
    }

    /// Text that is in the canonical form already. It may be nested a little deeper than [`Json::MAX_DEPTH`].
    pub(crate) fn canonical(text: impl Into<Arc<str>>) -> Self {
        let json = Self(text.into());
        debug_assert!(
            match Self::parse(&json.0) {
                Ok(parsed) => parsed == json,
                Err(JsonError::TooDeep) => true,
                Err(JsonError::NotJson) => false,
            },
            "text that is not in the canonical form: {json}"
        );
        json
    }

    /// A string's JSON.
    pub fn string(text: &str) -> Self {
        Self::canonical(serde_json::Value::from(text).to_string())
    }

    /// A list of these values.
    pub fn list(items: &[Self]) -> Self {
        let items: Vec<&str> = items.iter().map(Self::as_str).collect();
        Self::canonical(format!("[{}]", items.join(",")))
    }

    /// An object of these members. Of two with one name the last counts.
    pub fn object(members: impl IntoIterator<Item = (String, Self)>) -> Self {
        let members: BTreeMap<String, Self> = members.into_iter().collect();
        let member = |(name, value): (&String, &Self)| format!("{}:{value}", Self::string(name));
        Self::canonical(format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(",")))
    }

    /// `null`.
    pub fn null() -> Self {
        Self::canonical("null")
    }

    /// The value in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value as an integer, if it is one and 64 bits can hold it.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The value as an integer that is not negative, if it is one and 64 bits can hold it.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The items of a list. `None` if the value is no list.
    pub(crate) fn items(raw: &str) -> Option<Result<Vec<Self>, JsonError>> {
        let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        Some(items.into_iter().map(|item| Self::parse(item.get())).collect())
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::canonical(itoa::Buffer::new().format(number))
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::canonical(itoa::Buffer::new().format(number))
    }
}

impl Kind {
    /// The kind of a value, by its text.
    pub(crate) fn of(text: &str) -> Self {
        match text.trim_start().as_bytes().first() {
            Some(b'n') | None => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::List,
            Some(b'{') => Self::Object,
            Some(_) if text.contains(['.', 'e', 'E']) => Self::Float,
            Some(_) => Self::Integer,
        }
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As JSON, and for no other format.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Reads text that is known to be JSON.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Appends the canonical form of the next value. `depth` is how deep it may still be nested.
    fn value(&mut self, depth: usize, out: &mut String) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'{' | b'[') if depth == 0 => Err(JsonError::TooDeep),
            Some(b'{') => self.object(depth - 1, out),
            Some(b'[') => self.list(depth - 1, out),
            Some(b'"') => {
                out.push_str(&self.string());
                Ok(())
            }
            Some(_) => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']);
                out.push_str(&word(self.take(end.unwrap_or(self.rest.len()))));
                Ok(())
            }
            None => Err(JsonError::NotJson),
        }
    }

    fn list(&mut self, depth: usize, out: &mut String) -> Result<(), JsonError> {
        self.take(1);
        out.push('[');
        while self.peek() != Some(b']') {
            if self.peek() == Some(b',') {
                self.take(1);
                out.push(',');
            }
            self.value(depth, out)?;
        }
        self.take(1);
        out.push(']');
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut String) -> Result<(), JsonError> {
        let mut members = BTreeMap::new();
        while self.peek() != Some(b'}') {
            // The opening brace, or the comma before this member.
            self.take(1);
            if self.peek() == Some(b'}') {
                break;
            }
            let name = self.member_name();
            let mut value = String::new();
            self.value(depth, &mut value)?;
            members.insert(name, value);
        }
        self.take(1);
        let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        out.push('{');
        out.push_str(&members.join(","));
        out.push('}');
        Ok(())
    }

    fn member_name(&mut self) -> Cow<'a, str> {
        let name = self.string();
        self.peek();
        self.take(1);
        name
    }

    /// The next string, with its quotes, escaped only where it must be.
    fn string(&mut self) -> Cow<'a, str> {
        let is_end = {
            let mut is_escaped = true;
            move |byte: u8| {
                let is_end = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                is_end
            }
        };
        let end = self.rest.bytes().position(is_end).map_or(self.rest.len(), |end| end + 1);
        let token = self.take(end);
        if !token.contains('\\') {
            return token.into();
        }
        // Half of a surrogate pair is no text, so such a string stays as it was written.
        let text: Result<String, _> = serde_json::from_str(token);
        text.map_or(token.into(), |text| serde_json::Value::from(text).to_string().into())
    }

    /// The first byte after any space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// The canonical form of a number or of `null`, `true`, `false`.
fn word(text: &str) -> Cow<'_, str> {
    match Kind::of(text) {
        Kind::Float => float(text).into(),
        Kind::Integer if text == "-0" => "0".into(),
        Kind::Integer | Kind::Null | Kind::Boolean | Kind::String | Kind::List | Kind::Object => text.into(),
    }
}

fn float(text: &str) -> String {
    let value: f64 = text.parse().unwrap_or(0.0);
    match serde_json::Number::from_f64(value) {
        Some(_) if value == 0.0 => "0.0".to_owned(),
        Some(number) => number.to_string(),
        None if value < 0.0 => "-1e999".to_owned(),
        None => "1e999".to_owned(),
    }
}

#[cfg(test)]
mod tests;
