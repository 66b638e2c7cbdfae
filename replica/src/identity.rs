//! Identities: a [`NodeId`] names a node, an [`Incarnation`] names one process of it, and a [`ReplicaId`] is the name that
//! a process counts under.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use rand::{Rng, RngExt};

/// The name of a node. It stays the same over restarts.
///
/// ```
/// let node = replica::NodeId::from("n0");
/// assert_eq!(node.as_str(), "n0");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for NodeId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One process lifetime: 32 bits drawn at random when the process starts, written as eight hexadecimal digits.
///
/// Two given incarnations of one node are equal with probability 2⁻³².
///
/// ```
/// let incarnation: replica::Incarnation = "0000002a".parse()?;
/// assert_eq!(incarnation.to_string(), "0000002a");
/// # Ok::<(), replica::NoIdentity>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(u32);

impl Incarnation {
    /// How long the text of an incarnation is, in bytes.
    const DIGITS: usize = 8;

    pub(crate) fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random())
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl std::str::FromStr for Incarnation {
    type Err = NoIdentity;

    /// Reads the eight lower-case digits that [`Display`](fmt::Display) writes, and nothing else.
    fn from_str(text: &str) -> Result<Self, NoIdentity> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != Self::DIGITS || !text.bytes().all(is_digit) {
            return Err(NoIdentity("an incarnation is eight lower-case hexadecimal digits"));
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| NoIdentity("an incarnation has 32 bits"))
    }
}

/// The name that a process counts under: a node and an incarnation of it. It is the key of a row.
///
/// A process counts under the replica of its own incarnation, or under one that a predecessor has handed on. No two
/// processes count under one replica at a time. So the counts of an earlier process can't collide with those of a later
/// one.
///
/// It is kept as its text, `n0#9f3a17c2`, so that it can be compared and looked up without conversion.
///
/// ```
/// use replica::{NodeId, ReplicaId};
///
/// let id = ReplicaId::new(&NodeId::from("n0"), "9f3a17c2".parse()?);
/// assert_eq!(id.to_string(), "n0#9f3a17c2");
/// assert_eq!((id.node(), id.incarnation().to_string()), ("n0", "9f3a17c2".to_owned()));
/// assert_eq!("n0#9f3a17c2".parse(), Ok(id));
/// # Ok::<(), replica::NoIdentity>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(Arc<str>);

impl ReplicaId {
    /// The length of the text after the node's name, in bytes.
    const SUFFIX: usize = "#".len() + Incarnation::DIGITS;

    /// The replica of this node's incarnation.
    pub fn new(node: &NodeId, incarnation: Incarnation) -> Self {
        Self(format!("{node}#{incarnation}").into())
    }

    /// The name of the node.
    pub fn node(&self) -> &str {
        let name = self.0.len().saturating_sub(Self::SUFFIX);
        self.0.get(..name).unwrap_or_default()
    }

    /// The incarnation that was the first to count under this replica.
    pub fn incarnation(&self) -> Incarnation {
        let digits = self.0.len().saturating_sub(Incarnation::DIGITS);
        let parsed = self.0.get(digits..).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Incarnation(parsed.unwrap_or_default())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ReplicaId {
    type Err = NoIdentity;

    fn from_str(text: &str) -> Result<Self, NoIdentity> {
        let (_, incarnation) = text.rsplit_once('#').ok_or(NoIdentity("a replica has a # in its name"))?;
        incarnation.parse::<Incarnation>().map(|_| Self(text.into()))
    }
}

impl Borrow<str> for ReplicaId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is no incarnation, or no replica. The message says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoIdentity(&'static str);

impl fmt::Display for NoIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoIdentity {}

/// A replica in the binary form: its text.
#[cfg(feature = "bytes")]
impl crdt::bytes::IdBytes for ReplicaId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

/// Identities as the texts that they are displayed as.
#[cfg(feature = "serde")]
mod text {
    use super::{Incarnation, ReplicaId, fmt};
    use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl Serialize for Incarnation {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl Serialize for ReplicaId {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.as_str())
        }
    }

    struct Parsed<T>(&'static str, std::marker::PhantomData<T>);

    impl<T: std::str::FromStr> Visitor<'_> for Parsed<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    impl<'de> Deserialize<'de> for Incarnation {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            const EXPECTED: &str = "eight lower-case hexadecimal digits";
            deserializer.deserialize_str(Parsed(EXPECTED, std::marker::PhantomData))
        }
    }

    impl<'de> Deserialize<'de> for ReplicaId {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            const EXPECTED: &str = "a replica such as \"n0#9f3a17c2\"";
            deserializer.deserialize_str(Parsed(EXPECTED, std::marker::PhantomData))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_its_node_and_its_incarnation() {
        let id = ReplicaId::new(&"odd#name".into(), Incarnation(0x9f3a));
        assert_eq!(id.to_string(), "odd#name#00009f3a");
        assert_eq!((id.node(), id.incarnation()), ("odd#name", Incarnation(0x9f3a)));
        assert_eq!(format!("{id:?}"), id.to_string());
        assert_eq!(Borrow::<str>::borrow(&id), id.to_string());
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "n0", "n0#", "n0#123", "n0#ABCDEF00", "n0#+1234567", "n0#123456789"] {
            assert!(text.parse::<ReplicaId>().is_err(), "{text:?} was read as a replica");
        }
        for text in ["", "1234567", "+1234567", "123456789", "ABCDEF00"] {
            assert!(text.parse::<Incarnation>().is_err(), "{text:?} was read as an incarnation");
        }
    }
}
