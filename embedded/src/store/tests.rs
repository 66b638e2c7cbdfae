//! Tests of the store: the suite that every store must pass, and a disk that fails in every way.

mod conformance;
mod damage;
mod directory;
mod disk;
mod failures;
mod history;
mod log;
mod measure;
mod power;
mod unstored;

use std::path::Path;

use super::fold::Pace;
use super::record::LogSize;
use super::{Fatal, Store};
use disk::TestDisk;

/// Opens the store on a disk, with such a pace that each few commits are folded in several slices.
fn open(disk: &TestDisk) -> Result<Store, super::OpenError> {
    let mut store = Store::with_backend(disk.clone(), Path::new("test.redb"))?;
    store.pace = Pace {
        worthwhile: LogSize { entries: 3, bytes: u64::MAX },
        batch: LogSize { entries: 2, bytes: u64::MAX },
        slice: 1,
        removed: 1,
    };
    Ok(store)
}
