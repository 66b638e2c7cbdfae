//! The first thing that `cargo bench` shows: merging, in one table.
//!
//! ```sh
//! cargo bench --bench merge -- --write-readme
//! ```
//!
//! also writes the tables of docs/reference.md and of the crate's README.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::error::Error;
use std::fs;

use clap::Parser;
use crdt_compare::{Effort, Table, VERSIONS, between_markers, machine, races, today};

/// Measures merging beside other crates, maps by hand and the limit of the machine.
#[derive(Parser)]
struct Arguments {
    /// Measure only rows whose title contains this.
    row: Option<String>,
    /// Write the tables of docs/reference.md and crdt/README.md from what is measured.
    #[arg(long, conflicts_with = "row")]
    write_readme: bool,
    /// `cargo bench` gives this flag. Without it everything runs once, as a test.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let effort = if arguments.bench { Effort::FULL } else { Effort::GLANCE };
    println!("{}\n", about());
    let mut table = Table(Vec::new());
    for race in races() {
        let asked = |title: &str| arguments.row.as_deref().is_none_or(|part| title.contains(part));
        if !race.titles().any(|title| asked(&title)) {
            continue;
        }
        for row in race.run(effort) {
            println!("{}", row.text());
            table.0.push(row);
        }
    }
    if arguments.write_readme {
        write("docs/reference.md", &table.in_short())?;
        write("crdt/README.md", &table.in_full())?;
    }
    Ok(())
}

/// The explanation of the figures, for the terminal and for documents.
fn about() -> String {
    let crates: Vec<String> = VERSIONS.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!(
        "Counts a second, on {}, {}.\n\
         Medians of batches; all contenders take turns in one process. GB/s: 8 bytes a count read, on both sides; for JSON,\n\
         bytes of text. Other crates: {} (its counts have 32 bits).",
        machine(),
        today(),
        crates.join(", ")
    )
}

fn write(name: &str, table: &str) -> Result<(), Box<dyn Error>> {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(&path).map_err(|error| format!("{name} can't be read: {error}"))?;
    let text = format!("{}\n\n{table}", about());
    let written = between_markers(&document, &text)
        .map_err(|_| format!("{name} lacks the marks between which the table goes: put them in again"))?;
    fs::write(&path, written).map_err(|error| format!("{name} can't be written: {error}"))?;
    println!("{name}: the table is written");
    Ok(())
}
