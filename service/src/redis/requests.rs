//! What a client sends: its bytes, cut into commands.

#[cfg(test)]
mod tests;

use std::ops::Range;

use redis_protocol::resp2::decode::decode_range;
use redis_protocol::resp2::types::RangeFrame;

use super::inline;

/// A line may have so many bytes: an inline command, or a length.
const MAX_LINE: usize = 64 << 10;
/// A client that has not said who it is may send so many arguments, each with so many bytes.
const UNKNOWN_MAY: (usize, usize) = (10, 16 << 10);
/// So many commands are handled at a time.
const MAX_AT_A_TIME: usize = 1_024;

/// Why bytes are no commands. The connection is closed after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadRequest {
    /// As Redis says it, without `ERR Protocol error: `.
    Protocol(&'static str),
    /// A bulk string was expected, and this byte came.
    NoBulk(u8),
    /// It looks like HTTP: the script of a web page may have sent it. It is not answered.
    Http,
}

const BAD_BULK: BadRequest = BadRequest::Protocol("invalid bulk length");

/// The bytes of one client, and the commands in them.
///
/// Read into [`space`](Self::space), [`parse`](Self::parse), handle the [commands](Self::command), [`clear`](Self::clear). A
/// command that came in part stays, and is not parsed again from its beginning.
#[derive(Debug)]
pub(super) struct Requests {
    bytes: Vec<u8>,
    /// How far the bytes are parsed.
    at: usize,
    /// The arguments of all commands, one command after the other.
    arguments: Vec<Range<usize>>,
    /// Where each command ends among the arguments. What comes behind the last belongs to a command that came in part.
    ends: Vec<usize>,
    /// How many arguments of that command are missing.
    missing: usize,
    /// Where that command begins.
    begin: usize,
    max_bytes: usize,
    bad: Option<BadRequest>,
}

impl Requests {
    /// Nothing yet. No command may have more than `max_bytes`.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            arguments: Vec::new(),
            ends: Vec::new(),
            missing: 0,
            begin: 0,
            max_bytes,
            bad: None,
        }
    }

    /// Where to read to: behind the bytes that are there.
    pub(super) fn space(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How many commands there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The arguments of a command. The first is its name; none has none.
    pub(super) fn command(&self, number: usize) -> Command<'_> {
        let end = self.ends.get(number).copied().unwrap_or_default();
        let begin =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        Command { bytes: &self.bytes, arguments: self.arguments.get(begin..end).unwrap_or_default() }
    }

    /// Why the bytes behind the commands are no command.
    pub(super) fn bad(&self) -> Option<BadRequest> {
        self.bad
    }

    /// Cuts commands. Returns whether the next one needs more bytes.
    pub(super) fn parse(&mut self, is_known: bool) -> bool {
        while self.bad.is_none() && self.ends.len() < MAX_AT_A_TIME {
            match self.next(is_known) {
                Ok(true) => {}
                Ok(false) => return true,
                Err(bad) => self.bad = Some(bad),
            }
        }
        false
    }

    /// Forgets the commands, for they are handled.
    pub(super) fn clear(&mut self) {
        let handled = self.ends.last().copied().unwrap_or_default();
        self.ends.clear();
        self.arguments.drain(..handled);
        let begin = self.begin;
        for argument in &mut self.arguments {
            *argument = argument.start - begin..argument.end - begin;
        }
        self.bytes.drain(..begin);
        (self.at, self.begin) = (self.at - begin, 0);
    }

    /// Cuts the next command. False: it needs more bytes.
    fn next(&mut self, is_known: bool) -> Result<bool, BadRequest> {
        if self.missing == 0 && !self.begin(is_known)? {
            return Ok(false);
        }
        let most = if is_known { self.max_bytes } else { UNKNOWN_MAY.1 };
        while self.missing > 0 {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            match rest.first() {
                Some(b'$') => {}
                Some(other) => return Err(BadRequest::NoBulk(*other)),
                None => return Ok(false),
            }
            match decode_range(rest) {
                Ok(Some((RangeFrame::BulkString((from, upto)), length))) => {
                    self.check_bulk(upto - from, most)?;
                    self.arguments.push(self.at + from..self.at + upto);
                    self.at += length;
                    self.missing -= 1;
                }
                // Its header alone is enough to refuse it. It is not waited for then.
                Ok(None) => {
                    if let Some(length) = announced(rest)? {
                        self.check_bulk(length, most)?;
                    }
                    return Ok(false);
                }
                Ok(Some(_)) | Err(_) => return Err(BAD_BULK),
            }
        }
        self.end();
        Ok(true)
    }

    /// Begins a command. False: that needs more bytes, or the command is empty.
    fn begin(&mut self, is_known: bool) -> Result<bool, BadRequest> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(length) = rest.iter().take(MAX_LINE).position(|byte| *byte == b'\n') else {
                return match rest.first() {
                    Some(b'*') if rest.len() >= MAX_LINE => {
                        Err(BadRequest::Protocol("too big mbulk count string"))
                    }
                    _ if rest.len() >= MAX_LINE => Err(BadRequest::Protocol("too big inline request")),
                    _ => Ok(false),
                };
            };
            let line = self.at..self.at + length;
            self.at += length + 1;
            if rest.first() != Some(&b'*') {
                self.cut_inline(line)?;
            } else if self.cut_header(line, is_known)? {
                return Ok(true);
            }
            if self.arguments.len() > self.ends.last().copied().unwrap_or_default() {
                return Ok(true);
            }
            // An empty command has no answer.
            self.begin = self.at;
        }
    }

    /// Reads how many arguments a command has. False: none.
    fn cut_header(&mut self, line: Range<usize>, is_known: bool) -> Result<bool, BadRequest> {
        let line = self.bytes.get(line.start + 1..line.end).unwrap_or_default();
        let number = line.strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
        let number: i64 = number.ok_or(BadRequest::Protocol("invalid multibulk length"))?;
        let number = usize::try_from(number).unwrap_or_default();
        if number > self.max_bytes {
            return Err(BadRequest::Protocol("invalid multibulk length"));
        }
        if !is_known && number > UNKNOWN_MAY.0 {
            return Err(BadRequest::Protocol("unauthenticated multibulk length"));
        }
        self.missing = number;
        Ok(number > 0)
    }

    /// Cuts a line into arguments.
    fn cut_inline(&mut self, line: Range<usize>) -> Result<(), BadRequest> {
        let (offset, first) = (line.start, self.arguments.len());
        let line = self.bytes.get_mut(line).unwrap_or_default();
        inline::split(line, |argument| {
            self.arguments.push(offset + argument.start..offset + argument.end);
        })
        .map_err(|_| BadRequest::Protocol("unbalanced quotes in request"))?;
        let name = self.arguments.get(first).and_then(|name| self.bytes.get(name.clone()));
        let is_http = |name: &[u8]| name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:");
        if name.is_some_and(is_http) { Err(BadRequest::Http) } else { Ok(()) }
    }

    /// Whether the next argument may have so many bytes.
    fn check_bulk(&self, length: usize, most: usize) -> Result<(), BadRequest> {
        if length > most {
            Err(BAD_BULK)
        } else if length.saturating_add(self.at - self.begin) > self.max_bytes {
            Err(BadRequest::Protocol("the command is too long"))
        } else {
            Ok(())
        }
    }

    fn end(&mut self) {
        self.ends.push(self.arguments.len());
        self.begin = self.at;
    }
}

/// The length in the header of a bulk string, once that is whole.
fn announced(bulk: &[u8]) -> Result<Option<usize>, BadRequest> {
    let Some(end) = bulk.iter().take(MAX_LINE).position(|byte| *byte == b'\n') else {
        let is_long = bulk.len() >= MAX_LINE;
        return if is_long { Err(BadRequest::Protocol("too big bulk count string")) } else { Ok(None) };
    };
    let digits = bulk.get(1..end).and_then(|line| line.strip_suffix(b"\r"));
    let length = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    length.map(Some).ok_or(BAD_BULK)
}

/// A command: its arguments, the first of which is its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command<'a> {
    bytes: &'a [u8],
    arguments: &'a [Range<usize>],
}

impl<'a> Command<'a> {
    /// A command whose arguments lie in these bytes.
    pub(super) fn new(bytes: &'a [u8], arguments: &'a [Range<usize>]) -> Self {
        Self { bytes, arguments }
    }

    /// The command that begins with this argument.
    pub(super) fn behind(self, number: usize) -> Self {
        Self { arguments: self.arguments.get(number..).unwrap_or_default(), ..self }
    }

    pub(super) fn len(self) -> usize {
        self.arguments.len()
    }

    /// An argument, empty if there is none.
    pub(super) fn get(self, number: usize) -> &'a [u8] {
        let range = self.arguments.get(number).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    /// Its first argument, in lower case.
    pub(super) fn subcommand(self) -> String {
        String::from_utf8_lossy(self.get(1)).to_ascii_lowercase()
    }

    /// The arguments from this one on.
    pub(super) fn from(self, number: usize) -> impl Iterator<Item = &'a [u8]> {
        (number..self.len()).map(move |number| self.get(number))
    }
}
