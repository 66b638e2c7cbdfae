//! Who counts: a [`Replica`] is one lifetime of one node's process.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use rand::{Rng, RngExt};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The mark of one process lifetime: 32 bits drawn at random when the process is initialised.
///
/// Two given lives of one node share an epoch with probability 2⁻³².
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// Draws a fresh epoch.
    pub fn random(rng: &mut dyn Rng) -> Self {
        Self(rng.random())
    }

    #[cfg(test)]
    pub(crate) const fn of(mark: u32) -> Self {
        Self(mark)
    }

    /// Reads the eight hexadecimal digits that [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Option<Self> {
        let canonical = text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        canonical.then(|| u32::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("an epoch is eight lower-case hexadecimal digits"))
    }
}

/// One process lifetime of one node, written `n0#9f3a17c2`: the key of an entry in the vector.
///
/// A process adds only under its own replica, and no two processes share one. So nothing that an earlier
/// life of a node did can collide with what its present life does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica(Arc<str>);

impl Replica {
    /// The replica of `node` in `epoch`.
    pub fn new(node: &str, epoch: Epoch) -> Self {
        Self(format!("{node}#{epoch}").into())
    }

    /// The node whose life this is.
    pub fn node(&self) -> &str {
        self.0.rsplit_once('#').map_or(&self.0, |(node, _)| node)
    }

    /// The epoch that tells it from the node's other replicas.
    pub fn epoch(&self) -> Option<Epoch> {
        self.0.rsplit_once('#').and_then(|(_, epoch)| Epoch::parse(epoch))
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, epoch) = text.rsplit_once('#')?;
        Epoch::parse(epoch).map(|_| Self(text.into()))
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Replica {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Replica {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Replica {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Replica;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a replica such as \"n0#9f3a17c2\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Replica, E> {
                Replica::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_its_node_and_its_epoch() {
        let replica = Replica::new("odd#name", Epoch(0x9f3a));
        assert_eq!(replica.to_string(), "odd#name#00009f3a");
        assert_eq!((replica.node(), replica.epoch()), ("odd#name", Some(Epoch(0x9f3a))));
        assert_eq!(format!("{replica:?}"), replica.to_string());
        assert_eq!(Borrow::<str>::borrow(&replica), replica.to_string());
        let json = serde_json::to_string(&replica).unwrap();
        assert_eq!(serde_json::from_str::<Replica>(&json).unwrap(), replica);
    }

    #[test]
    fn what_a_replica_looks_like_is_told_to_who_writes_something_else() {
        let problem = serde_json::from_str::<Replica>("7").unwrap_err().to_string();
        assert!(problem.contains("expected a replica such as"), "{problem}");
    }

    #[test]
    fn what_is_not_a_replica_is_refused() {
        for text in ["", "n0", "n0#", "n0#123", "n0#ABCDEF00", "n0#+1234567", "n0#123456789"] {
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<Replica>(&json).is_err(), "{text:?} was taken for a replica");
        }
    }
}
