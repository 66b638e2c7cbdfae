//! The directory: what is made in it, and what is wrong with it.

use std::fs;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, TableDefinition};
use replica::NodeId;
use replica::Tally;
use replica::store::{Changes, Outcome, Revision, StoreRequest};

use super::super::disk::{Behind, Disk};
use super::super::header::Header;
use super::super::layout::{self, META, Migration};
use super::super::{Problem, Store, file::transact};

fn refused(dir: &Path) -> String {
    Store::open(dir).err().expect("the directory must be refused").to_string()
}

/// The database in a file.
fn database(path: &Path) -> Database {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let disk = Disk::new(FileBackend::new(file).unwrap());
    let start = Header::read(&disk).unwrap().end();
    Database::builder().create_with_backend(Behind::new(&disk, start)).unwrap()
}

#[test]
fn directory_and_file_are_made_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a/b");
    let node = NodeId::from("n0");
    let mut store = Store::open(&dir).unwrap();
    assert_eq!(store.node(), None);
    assert!(store.name_node(&node).unwrap());
    let row = Tally { up: 3, down: 0 }.row("n0#00000001".parse().unwrap());
    let changes = Changes { rows: vec![row.clone()], ..Changes::default() };
    let commit = StoreRequest::Commit { expect: Revision(0), changes, owner: None };
    assert_eq!(store.request(commit).unwrap(), Outcome::Committed { revision: Revision(1) });
    drop(store);
    let mut store = Store::open(&dir).unwrap();
    assert_eq!(store.node(), Some(&node));
    let Outcome::Opened { record: Some(record), .. } = store.request(StoreRequest::Open).unwrap() else {
        panic!("there is no record")
    };
    assert_eq!(record.rows.get(row.actor()), Some(&row));
    // The process before has ended, so its replica is free.
    let owner = record.owner.unwrap();
    assert_eq!((&owner.replica, owner.is_free), (row.actor(), true));
}

#[test]
fn a_second_process_is_told_that_another_uses_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let error = refused(dir.path());
    assert!(error.starts_with("another counterd uses this directory"), "{error}");
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn what_a_process_left_that_was_killed_while_it_made_the_file_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("counters.redb.new"), b"redb and then nothing").unwrap();
    Store::open(dir.path()).unwrap();
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = refused(&file);
    assert!(error.contains("it is a file, and not a directory"), "{error}");
    assert!(error.starts_with(&file.display().to_string()), "{error}");
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_read_only_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let read_only = dir.path().join("read-only");
    fs::create_dir(&read_only).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(read_only.join("probe"), b"").is_ok() {
        eprintln!("SKIPPED: the superuser writes into any directory");
        return;
    }
    let error = refused(&read_only);
    assert!(error.contains("can't be used: Permission denied"), "{error}");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("counters.redb");
    fs::write(&path, b"views,3\nlikes,4\n").unwrap();
    let error = refused(dir.path());
    assert!(error.contains("is damaged and was left as it is"), "{error}");
    assert!(error.contains("`counterd import`"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"views,3\nlikes,4\n");
    fs::remove_file(&path).unwrap();

    let other = Database::create(&path).unwrap();
    let table: TableDefinition<'_, u64, u64> = TableDefinition::new("of another program");
    transact(&other, |txn| Ok(txn.open_table(table)?.insert(1, 1)?.is_none())).unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let error = refused(dir.path());
    assert!(error.contains("it is a database of another program"), "{error}");
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[test]
fn a_later_version_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("counters.redb");
    drop(Store::open(dir.path()).unwrap());
    let database = database(&path);
    let version = 7_u32.to_le_bytes();
    transact(&database, |txn| Ok(txn.open_table(META)?.insert("format", version.as_slice())?.is_some()))
        .unwrap();
    drop(database);
    let before = fs::read(&path).unwrap();
    let error = refused(dir.path());
    assert!(
        error.contains("is in version 7 of the format, and this release knows versions up to 1"),
        "{error}"
    );
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

/// Names the node, as a new version might.
fn rename(txn: &redb::WriteTransaction) -> Result<(), Problem> {
    txn.open_table(META)?.insert("node", b"renamed".as_slice())?;
    Ok(())
}

#[test]
fn an_old_version_is_migrated_once() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let database = database(&dir.path().join("counters.redb"));
    let migrations: [Migration; 2] = [|_| Ok(()), rename];
    let mut changes = Vec::new();
    for _ in 0..2 {
        transact(&database, |txn| {
            changes.push(layout::migrate(txn, &migrations)?);
            Ok(true)
        })
        .unwrap();
    }
    assert_eq!(changes, [true, false]);
    let node = super::super::file::read_node(&database).unwrap();
    assert_eq!(node, Some(NodeId::from("renamed")));
    // The release before does not know it.
    let mut newer = None;
    transact(&database, |txn| {
        newer = layout::migrate(txn, &migrations[..1]).err();
        Ok(false)
    })
    .unwrap();
    assert!(matches!(newer, Some(Problem::Newer { found: 3, known: 2 })));
}
