//! Counts the bytes that a node wrote after its last line end.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of bytes after the last line end. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfinished(Arc<AtomicUsize>);

impl Unfinished {
    /// A reader that keeps the count.
    pub(super) fn watch<R: Read>(&self, reader: R) -> impl Read + use<R> {
        Watched { reader, count: self.clone() }
    }

    /// A note about a node that never answered. Empty if it wrote nothing, or only whole lines.
    pub(super) fn note(&self) -> String {
        match self.0.load(Ordering::Relaxed) {
            0 => String::new(),
            bytes => format!(
                "; it wrote {bytes} bytes without a line end: a message is one line, so print a line end after each, \
                 and flush"
            ),
        }
    }
}

struct Watched<R> {
    reader: R,
    count: Unfinished,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        match bytes.iter().rev().position(|byte| *byte == b'\n') {
            Some(after) => self.count.0.store(after, Ordering::Relaxed),
            None => drop(self.count.0.fetch_add(length, Ordering::Relaxed)),
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_after_the_last_line_end_are_counted() {
        let count = Unfinished::default();
        let pieces = [("{\"a\"", 4), (":1}", 7), ("\n", 0), ("\n{}", 2), ("", 2), ("\n\n", 0)];
        for (piece, expected) in pieces {
            count.watch(piece.as_bytes()).read_to_end(&mut Vec::new()).unwrap();
            assert_eq!(count.0.load(Ordering::Relaxed), expected, "{piece:?}");
        }
        assert_eq!(count.note(), "");
        count.watch(&b"{}"[..]).read_to_end(&mut Vec::new()).unwrap();
        assert!(count.note().starts_with("; it wrote 2 bytes without a line end: a message is one line"));
    }
}
