//! Colour for the verdict, where there is a terminal.

use std::io::{self, Stdout, Write};

use anstyle::{AnsiColor, Style};

/// The longest line that is held back for its colour, in bytes.
const LONGEST: usize = 64 << 10;

/// Standard output, with the verdict in colour if it is a terminal. The variables `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` decide
/// as everywhere.
#[derive(Debug)]
pub struct Terminal<W: Write = Stdout> {
    out: W,
    is_coloured: bool,
    /// The beginning of a line.
    line: Vec<u8>,
}

impl Terminal {
    /// This process's standard output.
    pub fn stdout() -> Self {
        let out = io::stdout();
        let is_coloured = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
        Self { out, is_coloured, line: Vec::new() }
    }
}

impl<W: Write> Terminal<W> {
    fn write_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let style = std::str::from_utf8(&line).ok().and_then(style).filter(|_| self.is_coloured);
        let Some(style) = style else { return self.out.write_all(&line) };
        let text = String::from_utf8_lossy(&line);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        write!(self.out, "{style}{text}{style:#}{end}")
    }
}

fn style(line: &str) -> Option<Style> {
    let color = match line.split_whitespace().next()? {
        "broken" => AnsiColor::Red,
        "remark" => AnsiColor::Yellow,
        "verdict" => match line.strip_prefix("verdict")?.trim() {
            "valid" => AnsiColor::Green,
            "INVALID" => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        },
        _ => return None,
    };
    let style = color.on_default();
    Some(if line.starts_with("verdict") { style.bold() } else { style })
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_coloured {
            return self.out.write(bytes);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LONGEST {
                self.write_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_line()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(is_coloured: bool) -> String {
        let mut terminal = Terminal { out: Vec::new(), is_coloured, line: Vec::new() };
        for piece in ["echo, 1 no", "des\nverdict     INV", "ALID\nverdict     valid\n", "half"] {
            terminal.write_all(piece.as_bytes()).unwrap();
        }
        terminal.flush().unwrap();
        String::from_utf8(terminal.out).unwrap()
    }

    #[test]
    fn verdicts_are_coloured_on_a_terminal_alone() {
        assert_eq!(shown(false), "echo, 1 nodes\nverdict     INVALID\nverdict     valid\nhalf");
        let text = shown(true);
        assert!(text.contains("\u{1b}[31mverdict     INVALID\u{1b}[0m\n"), "{text:?}");
        assert!(text.contains("\u{1b}[32mverdict     valid\u{1b}[0m\n"), "{text:?}");
        assert!(text.starts_with("echo, 1 nodes\n") && text.ends_with("half"), "{text:?}");
    }
}
