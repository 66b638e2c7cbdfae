//! A hello: who speaks under a node's name, and which versions it reads.
//!
//! First 19 bytes: the oldest version, the newest, the [occasion](Occasion), the process and its age (8 bytes each, the lowest first). Then
//! the site: how many bytes its name has, and the name. Whoever reads a hello ignores what follows, so later releases may say more.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{OLDEST, VERSION};

/// What a node says when it starts, now and then, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The versions that the node reads.
    pub versions: RangeInclusive<u8>,
    /// Why it is said.
    pub occasion: Occasion,
    /// Names the process. It is drawn at its start.
    pub process: u64,
    /// How long the process has run, in milliseconds.
    pub age_ms: u64,
    /// The site of the node. `None`: the cluster has one only.
    pub site: Option<String>,
}

/// Why a hello is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It is time for one.
    Now,
    /// The process begins, and asks the others to say hello too.
    Begin,
    /// The process ends cleanly: it is the last one.
    End,
}

impl Hello {
    /// The hello of a process of this release that has run for so long.
    pub fn of_this_release(occasion: Occasion, process: u64, age: Duration) -> Self {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self { versions: OLDEST..=VERSION, occasion, process, age_ms, site: None }
    }

    /// The same, of a node of this site.
    #[must_use]
    pub fn at(mut self, site: Option<String>) -> Self {
        self.site = site;
        self
    }

    /// The hello as bytes.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cluster::wire::hello::{Hello, Occasion};
    ///
    /// let hello = Hello::of_this_release(Occasion::Begin, 42, Duration::ZERO).at(Some("eu".into()));
    /// assert_eq!(Hello::from_bytes(&hello.to_bytes()), Some(hello));
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let occasion = match self.occasion {
            Occasion::Now => 0,
            Occasion::Begin => 1,
            Occasion::End => 2,
        };
        let mut bytes = vec![*self.versions.start(), *self.versions.end(), occasion];
        bytes.extend(self.process.to_le_bytes());
        bytes.extend(self.age_ms.to_le_bytes());
        let site = self.site.as_deref().unwrap_or_default();
        // No site has a name so long that this cuts it off.
        let len = u8::try_from(site.len()).unwrap_or_default();
        bytes.push(len);
        bytes.extend(site.bytes().take(usize::from(len)));
        bytes
    }

    /// Reads a hello of this or a later release. `None`: it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([oldest, newest, occasion], rest) = bytes.split_first_chunk()?;
        let (process, rest) = rest.split_first_chunk()?;
        let (age_ms, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first()?;
        let (site, _of_a_later_release) = rest.split_at_checked(usize::from(*len))?;
        let site = match std::str::from_utf8(site).ok()? {
            "" => None,
            site => {
                Some(site).filter(|site| embedded::is_node_name(site)).map(|site| Some(site.to_owned()))?
            }
        };
        let occasion = match occasion {
            0 => Occasion::Now,
            1 => Occasion::Begin,
            2 => Occasion::End,
            _ => return None,
        };
        (oldest <= newest).then(|| Self {
            versions: *oldest..=*newest,
            occasion,
            process: u64::from_le_bytes(*process),
            age_ms: u64::from_le_bytes(*age_ms),
            site,
        })
    }

    /// The version to write: the newest that this node and all members read. A member that has said no hello yet may be as old as this
    /// node can talk to. One that has nothing in common with this node does not count: it can't be talked to.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cluster::wire::hello::{Hello, Occasion};
    ///
    /// let reads = |versions| Hello { versions, ..Hello::of_this_release(Occasion::Now, 42, Duration::ZERO) };
    /// let (here, older, newer) = (reads(1..=3), reads(1..=2), reads(2..=4));
    /// assert_eq!(here.version_for([Some(&older), Some(&newer)]), 2);
    /// assert_eq!(here.version_for([Some(&newer), None]), 1);
    /// ```
    pub fn version_for<'a>(&self, members: impl IntoIterator<Item = Option<&'a Self>>) -> u8 {
        let oldest = *self.versions.start();
        let common = |member: Option<&Self>| match member {
            Some(hello) => self.common(hello),
            None => Some(oldest),
        };
        members.into_iter().filter_map(common).min().unwrap_or(*self.versions.end())
    }

    /// The newest version that both read. `None`: they can't talk.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cluster::wire::hello::{Hello, Occasion};
    ///
    /// let reads = |versions| Hello { versions, ..Hello::of_this_release(Occasion::Now, 42, Duration::ZERO) };
    /// assert_eq!(reads(1..=3).common(&reads(2..=5)), Some(3));
    /// assert_eq!(reads(1..=3).common(&reads(4..=5)), None);
    /// ```
    pub fn common(&self, other: &Self) -> Option<u8> {
        let newest = *self.versions.end().min(other.versions.end());
        let oldest = *self.versions.start().max(other.versions.start());
        (oldest <= newest).then_some(newest)
    }
}
