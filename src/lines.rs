//! Cuts a stream of bytes into lines, of bounded length.

use std::mem;
use std::ops::ControlFlow;

/// Keeps the beginning of a line until its end comes.
#[derive(Debug)]
pub struct Lines {
    partial: Vec<u8>,
    longest: usize,
    /// The line that is coming in is too long: this much of it has been dropped.
    dropped: usize,
}

/// A line, or what is left of one that was too long.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The line without its end.
    Whole(&'a [u8]),
    /// It had this many bytes, more than are kept.
    TooLong(usize),
}

impl Lines {
    /// Lines of up to `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Self { partial: Vec::new(), longest, dropped: 0 }
    }

    /// Gives each line that ends in `bytes` to `take`, until that breaks off; returns what follows then.
    pub fn feed<'a>(
        &mut self,
        mut bytes: &'a [u8],
        mut take: impl FnMut(Line<'_>) -> ControlFlow<()>,
    ) -> &'a [u8] {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            let taken = if self.partial.is_empty() && self.dropped == 0 && line.len() <= self.longest {
                Some(take(Line::Whole(line)))
            } else {
                self.keep(line);
                self.finish(&mut take)
            };
            if taken == Some(ControlFlow::Break(())) {
                return bytes;
            }
        }
        self.keep(bytes);
        &[]
    }

    /// The stream has ended: gives a last line without an end to `take`.
    pub fn finish<T>(&mut self, take: impl FnOnce(Line<'_>) -> T) -> Option<T> {
        let line = mem::take(&mut self.partial);
        match mem::take(&mut self.dropped) {
            0 if line.is_empty() => None,
            0 => Some(take(Line::Whole(&line))),
            dropped => Some(take(Line::TooLong(dropped))),
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

    fn cut(chunks: &[Vec<u8>], longest: usize, break_after: usize) -> Vec<Result<Vec<u8>, usize>> {
        let mut lines = Lines::new(longest);
        let mut taken = Vec::new();
        let mut take = |line: Line<'_>| {
            taken.push(match line {
                Line::Whole(line) => Ok(line.to_vec()),
                Line::TooLong(length) => Err(length),
            });
            let is_enough = taken.len().is_multiple_of(break_after);
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        for mut rest in chunks.iter().map(Vec::as_slice) {
            while !rest.is_empty() {
                rest = lines.feed(rest, &mut take);
            }
        }
        lines.finish(&mut take);
        taken
    }

    proptest! {
        #[test]
        fn cuts_as_the_naive_version_does_however_the_stream_is_chunked(
            chunks in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), 0..12), 0..8),
            longest in 0_usize..8,
            break_after in 1_usize..5,
        ) {
            let whole = chunks.concat();
            let naive: Vec<_> = whole
                .split(|&b| b == b'\n')
                .map(|line| if line.len() <= longest { Ok(line.to_vec()) } else { Err(line.len()) })
                .filter(|line| line != &Ok(Vec::new()))
                .collect();
            let cut: Vec<_> = cut(&chunks, longest, break_after).into_iter().filter(|line| line != &Ok(Vec::new())).collect();
            prop_assert_eq!(cut, naive);
        }
    }

    #[test]
    fn a_line_that_is_too_long_takes_no_memory() {
        let mut lines = Lines::new(10);
        for _ in 0..1000 {
            lines.feed(&[b'x'; 1000], |_| ControlFlow::Continue(()));
        }
        assert!(lines.partial.capacity() <= 10);
    }
}
