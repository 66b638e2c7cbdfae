//! The table: as text for a terminal, in full and in short for a document.

use std::fmt::Write;

/// One operation on one type of id, at every size.
pub struct Row {
    pub title: String,
    pub cells: Vec<Cell>,
}

/// What was measured at one size. Times are seconds an operation, the medians of many batches.
#[derive(Clone)]
pub struct Cell {
    /// How many ids.
    pub n: u64,
    /// How many counts an operation deals with.
    pub counts: u64,
    /// How many bytes it reads, where bytes a second say something.
    pub bytes: Option<u64>,
    pub ours: f64,
    /// The fastest other crate, if any can do it.
    pub peer: Option<(&'static str, f64)>,
    pub btree: Option<f64>,
    pub hash: Option<f64>,
    pub limit: f64,
}

/// What a line of a row shows of a cell.
type Show = fn(&Cell) -> String;

const LINES: [(&str, Show); 6] = [
    ("crdt-counters", Cell::ours),
    ("the best other crate", |cell| {
        cell.peer.map_or_else(none, |(name, time)| format!("{name} {}", cell.rate(time)))
    }),
    ("BTreeMap by hand", |cell| cell.btree.map_or_else(none, |time| cell.rate(time))),
    ("HashMap by hand", |cell| cell.hash.map_or_else(none, |time| cell.rate(time))),
    ("the limit: a |= b", |cell| {
        format!("{}, ours {:.0} %", cell.rate(cell.limit), 100.0 * cell.limit / cell.ours)
    }),
    ("ours beside the best of others", |cell| {
        cell.factor().map_or_else(none, |(factor, name)| {
            format!("{}, {} {name}", times(factor), if factor < 1.0 { "behind" } else { "ahead of" })
        })
    }),
];

fn none() -> String {
    "-".into()
}

impl Cell {
    fn ours(&self) -> String {
        let counts = self.rate(self.ours);
        self.bytes
            .map_or(counts.clone(), |bytes| format!("{counts}, {} GB/s", digits(per(bytes, self.ours) / 1e9)))
    }

    /// Counts a second.
    fn rate(&self, time: f64) -> String {
        let rate = per(self.counts, time);
        let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
        let (unit, prefix) = units.into_iter().find(|&(unit, _)| rate >= unit).unwrap_or((1.0, ""));
        format!("{} {prefix}/s", digits(rate / unit))
    }

    /// How many times as fast as the fastest of all others, and which that is.
    pub fn factor(&self) -> Option<(f64, &'static str)> {
        let maps = [self.btree.map(|time| ("BTreeMap", time)), self.hash.map(|time| ("HashMap", time))];
        let others = maps.into_iter().chain([self.peer]).flatten();
        let (name, time) = others.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((time / self.ours, name))
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn per(amount: u64, time: f64) -> f64 {
    amount as f64 / time
}

/// Three digits that count.
fn digits(number: f64) -> String {
    let decimals = if number >= 99.95 {
        0
    } else if number >= 9.995 {
        1
    } else {
        2
    };
    format!("{number:.decimals$}")
}

/// Two digits that count. What is less than 1 is never shown as 1.
fn times(factor: f64) -> String {
    if factor < 1.0 {
        return format!("{:.2}x", factor.min(0.99));
    }
    let decimals = usize::from(factor < 9.95);
    format!("{factor:.decimals$}x")
}

fn size(n: u64) -> String {
    match n {
        1_048_576.. => format!("{} M", n >> 20),
        1000.. => format!("{},{:03}", n / 1000, n % 1000),
        _ => n.to_string(),
    }
}

/// The rows, in their order.
pub struct Table(pub Vec<Row>);

const LABEL: usize = 32;
const COLUMN: usize = 26;

impl Row {
    /// For a terminal. Rows are as wide as each other, so that each can be printed once it is measured.
    pub fn text(&self) -> String {
        let mut text = format!("{:LABEL$}", self.title);
        for cell in &self.cells {
            let _ = write!(text, "{:>COLUMN$}", size(cell.n));
        }
        for (label, show) in LINES {
            let _ = write!(text, "\n  {label:width$}", width = LABEL - 2);
            for cell in &self.cells {
                let _ = write!(text, "{:>COLUMN$}", show(cell));
            }
        }
        text + "\n"
    }

    fn columns(&self, columns: usize, show: impl Fn(&Cell) -> String) -> String {
        let mut line = String::new();
        for at in 0..columns {
            let _ = write!(line, " {} |", self.cells.get(at).map_or_else(String::new, &show));
        }
        line + "\n"
    }
}

impl Table {
    fn head(&self) -> (String, usize) {
        let widest = self.0.iter().max_by_key(|row| row.cells.len());
        let columns = widest.map_or(0, |row| row.cells.len());
        let sizes = widest.map_or_else(String::new, |row| row.columns(columns, |cell| size(cell.n)));
        (format!("| ids |{sizes}| --- |{}\n", " ---: |".repeat(columns)), columns)
    }

    /// All lines, as Markdown.
    pub fn in_full(&self) -> String {
        let (mut text, columns) = self.head();
        for row in &self.0 {
            let _ = writeln!(text, "| **{}** |{}", row.title, " |".repeat(columns));
            for (label, show) in LINES {
                let label = label.replace('|', "\\|");
                let cells = row.columns(columns, |cell| show(cell).replace('|', "\\|"));
                let _ = write!(text, "| {label} |{cells}");
            }
        }
        text
    }

    /// A line a row, as Markdown: our rate, and the factor beside the best of the others. What is behind is bold.
    pub fn in_short(&self) -> String {
        let (mut text, columns) = self.head();
        for row in &self.0 {
            let cells = row.columns(columns, |cell| {
                let rate = cell.rate(cell.ours);
                match cell.factor() {
                    Some((factor, name)) if factor < 1.0 => format!("{rate}, **{} {name}**", times(factor)),
                    Some((factor, name)) => format!("{rate}, {} {name}", times(factor)),
                    None => rate,
                }
            });
            let _ = write!(text, "| {} |{cells}", row.title);
        }
        text
    }
}
