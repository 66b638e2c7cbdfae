//! The first page of the file: where the log and the database are.
//!
//! It is written once, when the file is made. Numbers are little-endian.
//!
//! | bytes | |
//! | --- | --- |
//! | 0 to 7 | `counters` |
//! | 8 to 11 | the version of this page and of the log |
//! | 12 to 19 | the length of a lane of the log |
//! | 20 to 35 | the key of the log's checksums |
//! | 4,088 to 4,095 | the checksum of all bytes before |
//!
//! The two lanes of the [log](super::log) follow, and then the database.

use std::hash::Hasher;
use std::ops::Range;

use redb::StorageBackend;
use siphasher::sip::SipHasher13;

use super::disk::Disk;
use super::error::Problem;

/// The length of this page. The database counts in pages of this length too.
pub(super) const PAGE: u64 = 4096;
const SUMMED: usize = 4088;

const MAGIC: &[u8; 8] = b"counters";
const VERSION: u32 = 1;

/// The length of a lane in a new file. It has room for some ten thousand commits of some adds each.
pub(super) const LANE: u64 = 2 << 20;

/// What the first page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    lane: u64,
    key: [u8; 16],
}

impl Header {
    /// The header of a new file. `lane` is a number of pages, in bytes.
    pub(super) fn new(lane: u64) -> Self {
        Self { lane, key: rand::random() }
    }

    /// Writes the header and an empty log. The log is written in full, so that no commit ever allocates a block of the disk. It is
    /// written a page at a time: what is written at once Linux may keep as one large page, whose syncs cost a third more.
    pub(super) fn create(&self, disk: &Disk) -> Result<(), Problem> {
        let mut page = Vec::from(MAGIC);
        page.extend(VERSION.to_le_bytes());
        page.extend(self.lane.to_le_bytes());
        page.extend(self.key);
        page.resize(SUMMED, 0);
        page.extend(sum(&page).to_le_bytes());
        disk.write(0, &page).map_err(Problem::Io)?;
        let mut at = PAGE;
        while at < self.end() {
            disk.write(at, &[0; SUMMED + 8]).map_err(Problem::Io)?;
            at = at.saturating_add(PAGE);
        }
        disk.sync_data().map_err(Problem::Io)
    }

    /// Reads the header of a file.
    pub(super) fn read(disk: &Disk) -> Result<Self, Problem> {
        let len = disk.len().map_err(Problem::Io)?;
        if len == 0 {
            return Err(Problem::damaged("it is empty"));
        }
        let mut magic = [0; 4];
        if len >= 4 {
            disk.read(0, &mut magic).map_err(Problem::Io)?;
        }
        if &magic == b"redb" {
            return Err(Problem::damaged(
                "it is a database of another program, or of a counterd from before its first release",
            ));
        }
        let mut page = vec![0; SUMMED + 8];
        if len >= PAGE {
            disk.read(0, &mut page).map_err(Problem::Io)?;
        }
        let header = Self::parse(&page)?;
        // A database that is empty would be taken for a new one.
        if len <= header.end() {
            return Err(Problem::damaged("it is shorter than it says"));
        }
        Ok(header)
    }

    fn parse(page: &[u8]) -> Result<Self, Problem> {
        let is_none = || Problem::damaged("its first page is none of counterd's");
        let (summed, found) = page.split_last_chunk().ok_or_else(is_none)?;
        let (magic, rest) = summed.split_first_chunk().ok_or_else(is_none)?;
        if magic != MAGIC || u64::from_le_bytes(*found) != sum(summed) {
            return Err(is_none());
        }
        let (version, rest) = rest.split_first_chunk().ok_or_else(is_none)?;
        let found = u32::from_le_bytes(*version);
        if found != VERSION {
            return Err(Problem::Newer { found, known: VERSION });
        }
        let (lane, rest) = rest.split_first_chunk().ok_or_else(is_none)?;
        let key = *rest.first_chunk().ok_or_else(is_none)?;
        Ok(Self { lane: u64::from_le_bytes(*lane), key })
    }

    /// The lane that has the entry of this revision.
    pub(super) fn lane(&self, revision: u64) -> Range<u64> {
        let start = PAGE.saturating_add(self.lane.saturating_mul(revision % 2));
        start..start.saturating_add(self.lane)
    }

    /// Where the log ends and the database begins.
    pub(super) fn end(&self) -> u64 {
        self.lane(1).end
    }

    /// A checksum. Who does not know the key can make no bytes that fit it: a client that names counters does not.
    pub(super) fn sum(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }
}

/// The checksum of the page itself.
fn sum(page: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(page);
    hasher.finish()
}
