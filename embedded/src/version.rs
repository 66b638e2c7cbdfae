//! What a client has seen, to be shown to another node.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use replica::{ReplicaId, Until};

/// What a client has seen: of each replica the number of a change, which it has seen with all changes before. A node that [covers
/// it](Version::until) shows all of that.
///
/// As a text it can be handed to a client, which hands it to the next node. The text is at most [`MAX_TEXT`](Version::MAX_TEXT) bytes
/// long: a replica costs some 20. There is a replica for each node, and one more for each crash of a node in a cluster.
///
/// ```
/// use embedded::{Counters, Version};
///
/// # let directory = tempfile::tempdir()?;
/// # let counters = Counters::open(directory.path())?;
/// counters.add("views", 3).wait()?;
/// let seen = counters.seen(Some("views")).version;
/// let text = seen.to_text().ok_or("it is short")?;
/// assert_eq!(text.parse(), Ok(seen));
/// assert!("?".parse::<Version>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version(BTreeMap<ReplicaId, u64>);

/// A text is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoVersion;

/// The first byte: how the rest is written.
const FORMAT: u8 = 1;

/// How long the name of a replica is at most.
const LONGEST: usize = 32 + "#00000000".len();

/// How many bytes the number of a replica takes at most, with the length of its name.
const MOST_AROUND: usize = 12;

impl Version {
    /// How long the text is at most, in bytes.
    pub const MAX_TEXT: usize = 4_096;

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what the other has seen.
    pub fn merge(&mut self, other: &Self) {
        for (replica, number) in &other.0 {
            self.see(replica, *number);
        }
    }

    /// Adds the changes of a replica up to this number.
    pub(crate) fn see(&mut self, replica: &ReplicaId, number: u64) {
        match self.0.get_mut(replica) {
            Some(seen) => *seen = number.max(*seen),
            None => drop(self.0.insert(replica.clone(), number)),
        }
    }

    /// Whether the text stays short enough with any change of this replica, or of any replica.
    pub(crate) fn has_room_for(&self, replica: Option<&ReplicaId>) -> bool {
        let more = match replica {
            Some(replica) if self.0.contains_key(replica) => 0,
            Some(replica) => replica.as_str().len(),
            None => LONGEST,
        };
        self.to_bytes().len() + more + MOST_AROUND <= Self::MAX_TEXT / 4 * 3
    }

    /// What to wait for, to show all of it.
    pub fn until(self) -> Until {
        Until::Covers(self.0)
    }

    /// The text: letters, digits, `-` and `_`. `None`: it would be longer than [`MAX_TEXT`](Self::MAX_TEXT).
    pub fn to_text(&self) -> Option<String> {
        let text = BASE64_URL_SAFE_NO_PAD.encode(self.to_bytes());
        (text.len() <= Self::MAX_TEXT).then_some(text)
    }

    fn to_bytes(&self) -> Vec<u8> {
        // A vector takes all that is written, and names and numbers can be written.
        postcard::to_extend(&self.0, vec![FORMAT]).unwrap_or_default()
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        if text.len() > Self::MAX_TEXT {
            return Err(NoVersion);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NoVersion)?;
        let written = bytes.strip_prefix(&[FORMAT]).ok_or(NoVersion)?;
        let (seen, rest) = postcard::take_from_bytes(written).map_err(|_| NoVersion)?;
        let version = Self(seen);
        let is_sound = version.0.keys().all(|replica| crate::is_node_name(replica.node()));
        if is_sound && rest.is_empty() { Ok(version) } else { Err(NoVersion) }
    }
}

/// In words that a user understands.
impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a version is the text that an answer has told, of at most {} bytes", Version::MAX_TEXT)
    }
}

impl std::error::Error for NoVersion {}

impl FromIterator<(ReplicaId, u64)> for Version {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(seen: I) -> Self {
        let mut version = Self::default();
        seen.into_iter().for_each(|(replica, number)| version.see(&replica, number));
        version
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn versions() -> impl Strategy<Value = Version> {
        let one = ("[a-z]{1,32}", any::<u32>(), any::<u64>());
        let one = one.prop_map(|(node, incarnation, number)| {
            (format!("{node}#{incarnation:08x}").parse().unwrap(), number)
        });
        vec(one, 0..100).prop_map(Version::from_iter)
    }

    proptest! {
        #[test]
        fn the_text_is_read_as_it_was_written_or_is_too_long(version in versions()) {
            match version.to_text() {
                Some(text) => prop_assert_eq!(text.parse(), Ok(version)),
                None => prop_assert!(version.to_bytes().len() > Version::MAX_TEXT / 4 * 3),
            }
        }

        #[test]
        fn with_room_for_a_replica_its_text_is_short_enough(version in versions(), number: u64, other in versions()) {
            for replica in other.0.into_keys() {
                if version.has_room_for(Some(&replica)) {
                    let mut more = version.clone();
                    more.see(&replica, number);
                    prop_assert!(more.to_text().is_some());
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_-]{0,60}", bytes in vec(any::<u8>(), 0..60)) {
            let _version = text.parse::<Version>();
            let bytes = [&[FORMAT][..], &bytes].concat();
            let _version = BASE64_URL_SAFE_NO_PAD.encode(bytes).parse::<Version>();
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let good = Version::from_iter([("n1#00000001".parse().unwrap(), 7)]);
        let text = good.to_text().unwrap();
        let other_format = BASE64_URL_SAFE_NO_PAD.encode([2, 0]);
        let no_node = Version::from_iter([("n 1#00000001".parse().unwrap(), 7)]).to_text().unwrap();
        let cut = &text[..text.len() - 1];
        for text in ["", "=", &other_format, &no_node, cut, &format!("{text}AA"), &"A".repeat(5000)] {
            assert_eq!(text.parse::<Version>(), Err(NoVersion), "{text}");
        }
    }

    #[test]
    fn to_merge_keeps_the_later_number() {
        let [a, b]: [ReplicaId; 2] = ["a#00000001", "b#00000001"].map(|id| id.parse().unwrap());
        let mut version = Version::from_iter([(a.clone(), 7), (b.clone(), 1)]);
        version.merge(&Version::from_iter([(a.clone(), 5), (b.clone(), 2)]));
        assert_eq!(version, Version::from_iter([(a, 7), (b, 2)]));
    }
}
