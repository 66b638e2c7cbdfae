//! The log: the part of the file before the database, which the store writes itself.
//!
//! A commit appends one entry, by one write into space that the file has already, and syncs once. An entry stays until it is
//! [folded](super::fold). Then the next ones take its place.
//!
//! Entries take turns between two *lanes*, by revision: even in one, odd in the other. Each lane is a ring. An entry is written only
//! once the one before is durable. So an entry proves that all before it were complete once: if one of them can't be read, the file
//! is damaged. As neighbours are in different lanes, a page that is lost has two neighbours never, and its loss is seen. Only the
//! last entry has no such proof. If it can't be read, then its commit was cut, and nobody was told of it. (If it was damaged
//! later, it looks the same. After a clean end the database says how far the log went, so then that is seen too.)
//!
//! An entry begins at a multiple of 16 bytes. Numbers are little-endian.
//!
//! | bytes | |
//! | --- | --- |
//! | 0 to 7 | the revision |
//! | 8 to 11 | the length of the body |
//! | 12 to 19 | the checksum of the body |
//! | 20 to 27 | the checksum of the 20 bytes before, and of the place of the entry in the file |
//! | 28 and on | the body: an [`Entry`] |
//!
//! Nothing says where the log begins. To open it is to look for all entries with a higher revision than the one that is folded.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use redb::StorageBackend;
use tracing::warn;

use super::disk::Disk;
use super::error::Problem;
use super::header::Header;
use super::record::LogSize;
use crate::entry::Entry;

const HEAD: usize = 28;
const ALIGN: usize = 16;

/// The log of a file, as far as it is not folded.
pub(super) struct Log {
    disk: Disk,
    header: Header,
    places: BTreeMap<u64, Place>,
    bytes: u64,
    /// Where the head of an entry is that was not complete.
    cut: Option<Place>,
}

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: u64,
    len: u32,
    sum: u64,
}

impl Place {
    fn end(&self) -> u64 {
        self.at.saturating_add(space(self.len))
    }

    /// The head of the entry, without the checksum at its end.
    fn head(&self, revision: u64) -> Vec<u8> {
        [&revision.to_le_bytes()[..], &self.len.to_le_bytes(), &self.sum.to_le_bytes()].concat()
    }
}

/// So many bytes an entry takes, with a body of this length.
fn space(len: u32) -> u64 {
    u64::from(len).saturating_add(HEAD as u64).next_multiple_of(ALIGN as u64)
}

impl Log {
    /// Looks for the entries above the revision that is folded. They must reach `ended` at least. Writes nothing.
    pub(super) fn open(disk: &Disk, header: Header, (folded, ended): (u64, u64)) -> Result<Self, Problem> {
        let mut log = Self { disk: disk.clone(), header, places: BTreeMap::new(), bytes: 0, cut: None };
        for lane in [header.lane(0), header.lane(1)] {
            log.find(&lane, folded)?;
        }
        let last = log.places.last_entry().map_or(folded, |last| *last.key());
        if last - folded != log.places.len() as u64 {
            return Err(Problem::damaged(format_args!("the log lacks one of the commits before {last}")));
        }
        log.drop_cut(last)?;
        let last = last - u64::from(log.cut.is_some());
        if last < ended {
            return Err(Problem::damaged(format_args!("the log ends at commit {last}, and had {ended}")));
        }
        log.bytes = log.places.values().map(|place| u64::from(place.len)).sum();
        Ok(log)
    }

    /// Notes where the entries of a lane are that are not folded.
    fn find(&mut self, lane: &Range<u64>, folded: u64) -> Result<(), Problem> {
        let mut bytes = vec![0; usize::try_from(lane.end - lane.start).map_err(Problem::damaged)?];
        self.disk.read(lane.start, &mut bytes).map_err(Problem::Io)?;
        for (at, head) in (lane.start..).step_by(ALIGN).zip(bytes.windows(HEAD).step_by(ALIGN)) {
            let Some((revision, place, sum)) = parse(at, head) else { continue };
            let is_new = revision > folded && place.end() <= lane.end;
            if is_new && sum == self.head_sum(revision, &place) {
                self.places.insert(revision, place);
            }
        }
        Ok(())
    }

    /// Leaves out the last entry if it is not complete.
    fn drop_cut(&mut self, last: u64) -> Result<(), Problem> {
        if let Some(place) = self.places.get(&last).copied()
            && self.body(&place)?.is_none()
        {
            warn!("the last commit before the crash was not complete, and is undone");
            self.places.remove(&last);
            self.cut = Some(place);
        }
        Ok(())
    }

    /// Makes durable what was found. A process before may have ended before its sync, or the sync may have failed: then the system
    /// holds bytes that the disk does not have, and does not write them again by itself. So the last entry is written again.
    ///
    /// The head of an entry that was cut is erased, so that it never stands beside the entry that gets its revision.
    pub(super) fn settle(&mut self) -> Result<(), Problem> {
        if let Some(cut) = self.cut {
            self.disk.write(cut.at, &[0; HEAD]).map_err(Problem::Io)?;
            self.cut = None;
        }
        if let Some((revision, place)) = self.places.last_key_value() {
            let body = self.body(place)?.ok_or_else(|| lost(*revision))?;
            self.write(*revision, place, &body)?;
        }
        self.disk.sync_data().map_err(Problem::Io)
    }

    /// Whether the next entry has room, with a body of this length.
    pub(super) fn has_room(&self, revision: u64, len: usize) -> bool {
        self.room(revision, len).is_some()
    }

    /// Appends an entry, and syncs. It must have room.
    pub(super) fn append(&mut self, revision: u64, body: &[u8]) -> Result<(), Problem> {
        let at = self.room(revision, body.len()).ok_or(Problem::Io(io::ErrorKind::StorageFull.into()))?;
        let len = u32::try_from(body.len()).map_err(Problem::damaged)?;
        let place = Place { at, len, sum: self.header.sum(&[body]) };
        self.write(revision, &place, body)?;
        self.disk.sync_data().map_err(Problem::Io)?;
        self.places.insert(revision, place);
        self.bytes = self.bytes.saturating_add(len.into());
        Ok(())
    }

    /// Gives the room of entries up to this revision to others. They must be folded.
    pub(super) fn forget(&mut self, upto: u64) {
        while let Some(first) = self.places.first_entry().filter(|first| *first.key() <= upto) {
            self.bytes = self.bytes.saturating_sub(first.remove().len.into());
        }
    }

    /// Calls `f` with each entry above a revision, and how long it is, until it returns false.
    pub(super) fn for_each(
        &self,
        above: u64,
        mut f: impl FnMut(u64, Entry) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        for (revision, place) in self.places.range(above.saturating_add(1)..) {
            let body = self.body(place)?.ok_or_else(|| lost(*revision))?;
            if !f(place.len.into(), Entry::from_bytes(&body)?)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether all of it is folded.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How much of it is not folded.
    pub(super) fn size(&self) -> LogSize {
        LogSize { entries: self.places.len() as u64, bytes: self.bytes }
    }

    /// How many bytes the lane of the next entry has, and how many of these are free.
    pub(super) fn free(&self, revision: u64) -> (u64, u64) {
        let lane = self.header.lane(revision);
        let all = lane.end - lane.start;
        let free = match self.used(revision) {
            None => all,
            Some((first, last)) if first.at <= last.at => all.saturating_sub(last.end() - first.at),
            Some((first, last)) => first.at.saturating_sub(last.end()),
        };
        (all, free)
    }

    /// The first and the last entry in the lane of the next one.
    fn used(&self, revision: u64) -> Option<(Place, Place)> {
        let last = self.places.get(&revision.checked_sub(2)?)?;
        let (first, _) = self.places.first_key_value()?;
        let first = self.places.get(&(first + (revision - first) % 2))?;
        Some((*first, *last))
    }

    /// Where the next entry begins.
    fn room(&self, revision: u64, len: usize) -> Option<u64> {
        let lane = self.header.lane(revision);
        let space = space(u32::try_from(len).ok()?);
        let fits = |at: u64, end: u64| (space <= end.saturating_sub(at)).then_some(at);
        match self.used(revision) {
            None => fits(lane.start, lane.end),
            Some((first, last)) if first.at <= last.at => {
                fits(last.end(), lane.end).or_else(|| fits(lane.start, first.at))
            }
            Some((first, last)) => fits(last.end(), first.at),
        }
    }

    /// Reads the body of an entry. `None` if it is not as it was written.
    fn body(&self, place: &Place) -> Result<Option<Vec<u8>>, Problem> {
        let mut body = vec![0; usize::try_from(place.len).map_err(Problem::damaged)?];
        self.disk.read(place.at.saturating_add(HEAD as u64), &mut body).map_err(Problem::Io)?;
        Ok((self.header.sum(&[&body]) == place.sum).then_some(body))
    }

    fn write(&self, revision: u64, place: &Place, body: &[u8]) -> Result<(), Problem> {
        let mut bytes = Vec::with_capacity(HEAD.saturating_add(body.len()));
        bytes.extend(place.head(revision));
        bytes.extend(self.head_sum(revision, place).to_le_bytes());
        bytes.extend(body);
        self.disk.write(place.at, &bytes).map_err(Problem::Io)
    }

    fn head_sum(&self, revision: u64, place: &Place) -> u64 {
        self.header.sum(&[&place.at.to_le_bytes(), &place.head(revision)])
    }
}

/// Reads the head of an entry: the revision, the place, and the checksum of both.
fn parse(at: u64, head: &[u8]) -> Option<(u64, Place, u64)> {
    let (revision, rest) = head.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_first_chunk()?;
    let place = Place { at, len: u32::from_le_bytes(*len), sum: u64::from_le_bytes(*body) };
    Some((u64::from_le_bytes(*revision), place, u64::from_le_bytes(*rest.first_chunk()?)))
}

fn lost(revision: u64) -> Problem {
    Problem::damaged(format_args!("commit {revision} of the log can't be read"))
}
