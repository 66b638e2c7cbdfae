//! A connection on which a test sees each byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A connection on which a test sees each byte. It fails a read that takes half a minute.
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) fn to(address: &str) -> Self {
        Self::try_to(address).unwrap()
    }

    /// None if nobody listens there.
    pub(crate) fn try_to(address: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Some(Self { stream, unread: Vec::new() })
    }

    /// Sends bytes. Whether the server still takes them is seen by its replies.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _is_closed = self.stream.write_all(bytes);
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self) {
        let _is_closed = self.stream.shutdown(Shutdown::Write);
    }

    /// The next reply as it came, or none if the server has closed the connection.
    pub(crate) fn reply(&mut self) -> Option<String> {
        loop {
            if let Some(length) = length(&self.unread) {
                let reply: Vec<u8> = self.unread.drain(..length).collect();
                return Some(String::from_utf8_lossy(&reply).into_owned());
            }
            if !self.read() {
                return None;
            }
        }
    }

    /// A command and its reply.
    pub(crate) fn ask(&mut self, arguments: &[&str]) -> String {
        self.send(&command(arguments));
        self.reply().unwrap_or_else(|| "closed".into())
    }

    /// All that comes until the server closes the connection.
    pub(crate) fn rest(mut self) -> String {
        while self.read() {}
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(length) => {
                self.unread.extend_from_slice(&bytes[..length]);
                length > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("no reply: {error}"),
        }
    }
}

/// A command as clients send it.
pub(crate) fn command(arguments: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        bytes.extend_from_slice(format!("${}\r\n{argument}\r\n", argument.len()).as_bytes());
    }
    bytes
}

/// How long the first reply is, if all of it is there.
fn length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[1..end - 2]).unwrap().parse::<i64>().unwrap();
    let elements = match bytes[0] {
        b'$' | b'=' if number() >= 0 => {
            let length = end + usize::try_from(number()).unwrap() + 2;
            return (bytes.len() >= length).then_some(length);
        }
        b'*' | b'~' => number().max(0),
        b'%' => number() * 2,
        _ => 0,
    };
    (0..elements).try_fold(end, |at, _| Some(at + length(&bytes[at..])?))
}
