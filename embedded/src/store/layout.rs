//! What the database holds: its tables, and the version of their format. What is not folded yet is in the [log](super::log).
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `format` | the version |
//! | | `node` | the node's name |
//! | | `state` | the [`State`](super::state::State) up to which the log is folded |
//! | | `ended` | the revision at which a process has last ended cleanly: the log goes so far at least |
//! | `chunks` | a part, and which 32 of its slots | what the part has in these slots, as a row delta |
//! | `notes` | until when, the revision, which of that commit | the note's text and value |

use redb::{ReadTransaction, ReadableTable, TableDefinition, TableHandle, WriteTransaction};

use super::error::Problem;

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const CHUNKS: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("chunks");
pub(super) const NOTES: TableDefinition<'_, (u64, u64, u32), &[u8]> = TableDefinition::new("notes");

pub(super) const NODE: &str = "node";
pub(super) const STATE: &str = "state";
const ENDED: &str = "ended";
const FORMAT: &str = "format";

/// How many slots a chunk has. Some kilobyte of names and counts: a few chunks fill a page of the database.
pub(super) const CHUNK: u32 = 32;

/// Brings a database from one version of the format to the next, within a transaction.
pub(super) type Migration = fn(&WriteTransaction) -> Result<(), Problem>;

/// The migrations from version 1 to 2, from 2 to 3 and so on. There is one version yet.
pub(super) const MIGRATIONS: &[Migration] = &[];

/// The version that this release writes.
fn newest(migrations: &[Migration]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// Makes the tables of a new database.
pub(super) fn create(txn: &WriteTransaction) -> Result<bool, Problem> {
    txn.open_table(META)?.insert(FORMAT, newest(MIGRATIONS).to_le_bytes().as_slice())?;
    txn.open_table(CHUNKS)?;
    txn.open_table(NOTES)?;
    Ok(true)
}

/// Brings a database to the present version. Returns whether there was anything to do.
///
/// # Errors
///
/// [`Problem::Newer`] if a later release has written it, [`Problem::Damaged`] if no release has.
pub(super) fn migrate(txn: &WriteTransaction, migrations: &[Migration]) -> Result<bool, Problem> {
    let (found, known) = (version(txn)?, newest(migrations));
    if found > known {
        return Err(Problem::Newer { found, known });
    }
    let done = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
    migrations.get(done..).unwrap_or_default().iter().try_for_each(|migration| migration(txn))?;
    txn.open_table(META)?.insert(FORMAT, known.to_le_bytes().as_slice())?;
    Ok(found < known)
}

/// The revision at which a process has last ended cleanly.
pub(super) fn ended(txn: &ReadTransaction) -> Result<u64, Problem> {
    let meta = txn.open_table(META)?;
    let Some(ended) = meta.get(ENDED)? else { return Ok(0) };
    let ended = ended.value().try_into().map_err(|_| Problem::damaged("it does not say where it ended"))?;
    Ok(u64::from_le_bytes(ended))
}

/// Notes that a process ends cleanly at this revision. Returns whether that is new.
pub(super) fn end(txn: &WriteTransaction, revision: u64) -> Result<bool, Problem> {
    let (mut meta, revision) = (txn.open_table(META)?, revision.to_le_bytes());
    let before = meta.insert(ENDED, revision.as_slice())?;
    Ok(before.is_none_or(|before| before.value() != revision))
}

fn version(txn: &WriteTransaction) -> Result<u32, Problem> {
    if !txn.list_tables()?.any(|table| table.name() == META.name()) {
        return Err(Problem::damaged("it is a database of another program"));
    }
    let meta = txn.open_table(META)?;
    let version = meta.get(FORMAT)?.and_then(|found| found.value().try_into().ok()).map(u32::from_le_bytes);
    version.filter(|version| *version > 0).ok_or(Problem::damaged("it does not say its version"))
}
