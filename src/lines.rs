//! Cuts a stream of bytes into lines, of bounded length.

use std::mem;

/// Keeps the beginning of a line until its end comes.
#[derive(Debug)]
pub struct Lines {
    partial: Vec<u8>,
    /// The last line that was returned, if it came in pieces.
    joined: Vec<u8>,
    longest: usize,
    /// How many bytes of the present line were dropped, because it is too long.
    dropped: usize,
}

/// A line, or the length of one that was too long.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The line without its end.
    Whole(&'a [u8]),
    /// The line had this many bytes, more than are kept.
    TooLong(usize),
}

impl Lines {
    /// Lines of up to `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Self { partial: Vec::new(), joined: Vec::new(), longest, dropped: 0 }
    }

    /// Cuts the next line off `bytes`. `None` if no further line ends there; then the rest of `bytes` is kept.
    pub fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Line<'a>> {
        self.joined = Vec::new();
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.keep(mem::take(bytes));
            return None;
        };
        let (line, rest) = bytes.split_at(end);
        *bytes = rest.get(1..).unwrap_or_default();
        if self.partial.is_empty() && self.dropped == 0 && line.len() <= self.longest {
            return Some(Line::Whole(line));
        }
        self.keep(line);
        self.finish()
    }

    /// Ends the stream. Returns the last line, if it had no end.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        self.joined = mem::take(&mut self.partial);
        match mem::take(&mut self.dropped) {
            0 if self.joined.is_empty() => None,
            0 => Some(Line::Whole(&self.joined)),
            dropped => Some(Line::TooLong(dropped)),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.dropped == 0 && self.partial.len() + bytes.len() <= self.longest {
            self.partial.extend_from_slice(bytes);
        } else {
            self.dropped += mem::take(&mut self.partial).len() + bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(chunks: &[Vec<u8>], longest: usize) -> Vec<Result<Vec<u8>, usize>> {
        let mut lines = Lines::new(longest);
        let mut found = Vec::new();
        let mut keep = |line: Line<'_>| {
            found.push(match line {
                Line::Whole(line) => Ok(line.to_vec()),
                Line::TooLong(length) => Err(length),
            });
        };
        for mut chunk in chunks.iter().map(Vec::as_slice) {
            while let Some(line) = lines.next(&mut chunk) {
                keep(line);
            }
        }
        lines.finish().map(keep);
        found
    }

    proptest! {
        #[test]
        fn cuts_as_the_naive_version_does_however_the_stream_is_chunked(
            chunks in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), 0..12), 0..8),
            longest in 0_usize..8,
        ) {
            let whole = chunks.concat();
            let naive: Vec<_> = whole
                .split(|&b| b == b'\n')
                .map(|line| if line.len() <= longest { Ok(line.to_vec()) } else { Err(line.len()) })
                .filter(|line| line != &Ok(Vec::new()))
                .collect();
            let cut: Vec<_> = cut(&chunks, longest).into_iter().filter(|line| line != &Ok(Vec::new())).collect();
            prop_assert_eq!(cut, naive);
        }
    }

    #[test]
    fn there_is_no_line_after_the_last_line_end() {
        let (mut lines, mut bytes) = (Lines::new(10), &b"a\n"[..]);
        assert_eq!(lines.next(&mut bytes), Some(Line::Whole(b"a")));
        assert_eq!(lines.next(&mut bytes), None);
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_line_that_is_too_long_takes_no_memory() {
        let mut lines = Lines::new(10);
        for _ in 0..1000 {
            assert_eq!(lines.next(&mut &[b'x'; 1000][..]), None);
        }
        assert!(lines.partial.capacity() <= 10);
    }
}
