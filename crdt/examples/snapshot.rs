//! A snapshot in a file: written whole or not at all, refused if it was damaged.
//!
//! `cargo run -p crdt-counters --example snapshot`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use crdt::PnCounter;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Writes beside, syncs, and renames: a crash leaves the old file or the new one.
fn save(counter: &PnCounter<String>, path: &Path) -> Result<(), Box<dyn Error>> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&counter.to_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    Ok(())
}

fn load(path: &Path) -> Result<PnCounter<String>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    PnCounter::from_bytes(&bytes).map_err(|refused| format!("{}: {refused}", path.display()).into())
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("crdt-snapshot-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let path = folder.join("counter.crdt");

    let mut counter = PnCounter::<String>::new();
    counter.add("n0", 500)?;
    counter.add("n1", -20)?;
    save(&counter, &path)?;
    let again = load(&path)?;
    println!("{} bytes, {again} again", fs::metadata(&path)?.len());

    let mut bytes = fs::read(&path)?;
    if let Some(byte) = bytes.get_mut(7) {
        *byte ^= 1;
    }
    fs::write(&path, bytes)?;
    let refused = load(&path).err();
    if let Some(refused) = &refused {
        println!("with one bit flipped: {refused}");
    }
    fs::remove_dir_all(folder)?;
    if again == counter && refused.is_some() { Ok(()) } else { Err("the snapshot is wrong".into()) }
}
