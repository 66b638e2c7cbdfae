//! Who may do what: tokens, their scopes, and the counters that they may touch.
//!
//! A file has a token a line: its name, the SHA-256 of its secret, its scopes, and a prefix if it is for some counters only. The
//! secret itself is in no file of the server.
//!
//! ```text
//! # name    SHA-256 of the secret (64 hexadecimal digits)                             scopes    prefix
//! web       0a4d55a8d778e5022fab701977c5d840bbc486d0b2a5f4b8b2d8a0b8a0a9a1b3          add,read  shop:
//! ```

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Config;

/// How many tokens a file may have. Each request is compared with all of them.
pub const MAX_TOKENS: usize = 1_000;

/// How many bytes the file of tokens may have.
const MAX_FILE: u64 = 1 << 20;

/// How many characters the name of a token may have.
const MAX_TOKEN_NAME: usize = 64;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Change counters. The answer to a change tells a value, so this includes reading what one changes.
    Add,
    /// Read counters, and how the server is doing.
    Read,
    /// All of it, and export and import.
    Admin,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Add, Self::Read, Self::Admin];

    const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| format!("\"{}\" is no scope: add, read and admin are", text.escape_debug()))
    }
}

/// Who may do what. Without tokens everybody may do everything: then the server listens on the loopback only, or was told to be
/// `--insecure`.
#[derive(Debug, Default)]
pub struct Access {
    tokens: Vec<Token>,
}

/// A token.
#[derive(Debug)]
struct Token {
    name: String,
    /// The SHA-256 of its secret.
    hash: [u8; 32],
    scopes: Vec<Scope>,
    /// What the names of its counters begin with.
    prefix: String,
}

/// A client, as its token says. `None`: there are no tokens.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a>(Option<&'a Token>);

impl Access {
    /// Reads the file of tokens.
    ///
    /// # Errors
    ///
    /// In words, with the line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("can't read the tokens in {}: {error}", path.display());
        if fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
            return Err(format!(
                "{} has more than {MAX_FILE} bytes: that is no file of tokens",
                path.display()
            ));
        }
        Self::parse(&fs::read_to_string(path).map_err(failed)?)
            .map_err(|problem| format!("{}: {problem}", path.display()))
    }

    /// Reads the lines of a file of tokens.
    ///
    /// ```
    /// use counterd::access::{Access, Scope, new_token};
    ///
    /// let token = new_token("web", &[Scope::Read], "shop:")?;
    /// let access = Access::parse(&token.line)?;
    /// let client = access.client(Some(&token.secret)).unwrap();
    /// assert!(client.may(Scope::Read, "shop:views"));
    /// assert!(!client.may(Scope::Read, "views"));
    /// assert!(!client.may(Scope::Add, "shop:views"));
    /// assert!(access.client(Some("a guess")).is_none());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In words, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let token = Token::parse(line).map_err(|problem| format!("line {number}: {problem}"))?;
            if tokens.iter().any(|other| other.name == token.name) {
                return Err(format!("line {number}: there are two tokens named {}", token.name));
            }
            if tokens.len() == MAX_TOKENS {
                return Err(format!("line {number}: there are more than {MAX_TOKENS} tokens"));
            }
            tokens.push(token);
        }
        if tokens.is_empty() {
            return Err(
                "it has no token, so nobody could do anything: `counterd token NAME` makes one".into()
            );
        }
        Ok(Self { tokens })
    }

    /// Whether clients need a token.
    pub fn needs_token(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// The client who presents this secret, or none. `None`: the token is missing, or nobody's.
    ///
    /// It compares the secret's hash with that of every token, so the time that it needs tells nothing of either.
    pub fn client(&self, secret: Option<&str>) -> Option<Client<'_>> {
        if !self.needs_token() {
            return Some(Client(None));
        }
        let hash = hash(secret?);
        let found = self
            .tokens
            .iter()
            .fold(None, |found, token| if bool::from(token.hash.ct_eq(&hash)) { Some(token) } else { found });
        found.map(|token| Client(Some(token)))
    }
}

impl Token {
    fn parse(line: &str) -> Result<Self, String> {
        let (name, rest) = split_word(line);
        let (hash, rest) = split_word(rest);
        let (scopes, prefix) = split_word(rest);
        if scopes.is_empty() {
            return Err("it is not of the form NAME SHA-256 SCOPES [PREFIX]".into());
        }
        let is_good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.len() > MAX_TOKEN_NAME || !name.chars().all(is_good) {
            return Err(format!("a token's name has 1 to {MAX_TOKEN_NAME} letters, digits, - _ and ."));
        }
        let hash = unhex(hash).ok_or("the second word is no SHA-256: 64 hexadecimal digits")?;
        let scopes = scopes.split(',').map(str::parse).collect::<Result<_, String>>()?;
        Ok(Self { name: name.into(), hash, scopes, prefix: prefix.into() })
    }
}

impl<'a> Client<'a> {
    /// Whether the client may do this to this counter, or to all counters with this prefix.
    pub fn may(self, scope: Scope, counter: &str) -> bool {
        self.0.is_none_or(|token| {
            let has_scope = token.scopes.contains(&scope) || token.scopes.contains(&Scope::Admin);
            has_scope && counter.starts_with(&token.prefix)
        })
    }

    /// The name of its token. `None`: there are no tokens.
    pub fn name(self) -> Option<&'a str> {
        self.0.map(|token| token.name.as_str())
    }

    /// What the names of its counters begin with.
    pub fn prefix(self) -> &'a str {
        self.0.map_or("", |token| &token.prefix)
    }
}

/// A token that was made.
#[derive(Debug)]
pub struct NewToken {
    /// What the client presents. It is shown once.
    pub secret: String,
    /// The line for the file of tokens, without its end.
    pub line: String,
}

/// Makes a token with a secret of 256 random bits.
///
/// # Errors
///
/// In words: a name or a prefix that has no place in a line, or no scope.
pub fn new_token(name: &str, scopes: &[Scope], prefix: &str) -> Result<NewToken, String> {
    let secret = format!("counterd_{}", hex(&rand::random::<[u8; 32]>()));
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let line = format!("{name} {} {} {prefix}", hex(&hash(&secret)), scopes.join(","));
    let line = line.trim_end().to_owned();
    let token = Token::parse(&line)?;
    if token.name != name || token.prefix != prefix {
        return Err("a prefix in the file of tokens has no spaces at its ends and no line breaks".into());
    }
    Ok(NewToken { secret, line })
}

/// Refuses to serve other machines without TLS or without tokens, unless told to. `addresses`: where it listens.
///
/// # Errors
///
/// In words that say what to do.
pub fn check_exposure(
    config: &Config,
    mut addresses: impl Iterator<Item = SocketAddr>,
) -> Result<(), String> {
    let missing = match (&config.tls, &config.tokens) {
        (Some(_), Some(_)) => return Ok(()),
        (None, Some(_)) => "--tls-cert and --tls-key",
        (Some(_), None) => "--tokens",
        (None, None) => "--tls-cert, --tls-key and --tokens",
    };
    match addresses.find(|address| !address.ip().to_canonical().is_loopback()) {
        Some(open) if !config.insecure => Err(format!(
            "{open} is open to other machines: give {missing}, listen on 127.0.0.1, or say --insecure"
        )),
        Some(_) | None => Ok(()),
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
}

/// Reads 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in (0..).step_by(2).zip(&mut bytes) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The first word, and what comes behind the spaces after it.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}
