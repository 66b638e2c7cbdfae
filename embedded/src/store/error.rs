//! What can go wrong, and what to do then.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use redb::{DatabaseError, StorageError};

use crate::entry::Unreadable;

/// Why a data directory can't be opened. Nothing in it was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The directory or its database can't be made, read or written.
    Unusable {
        /// The directory or the database.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process has the database open.
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// A later release has written the database.
    Newer {
        /// The database.
        path: PathBuf,
        /// The version of its format.
        found: u32,
        /// The last version that this release knows.
        known: u32,
    },
    /// The database is not as any release has written it.
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The name that is given to the node is none.
    Name {
        /// The name.
        given: String,
    },
    /// The directory belongs to another node.
    OtherNode {
        /// The node that it belongs to.
        node: String,
        /// The name that was given.
        given: String,
    },
    /// The database has failed while it was opened.
    Failed(Fatal),
    /// A thread can't be started.
    NoThread(io::Error),
}

impl From<Fatal> for OpenError {
    fn from(fatal: Fatal) -> Self {
        Self::Failed(fatal)
    }
}

/// What is wrong, and what to do.
impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { path, error } => {
                let help = match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        "Make room on the disk, or name a directory elsewhere"
                    }
                    _ => "Name a directory that this user may write",
                };
                write!(f, "{} can't be used: {error}. {help} with --data", path.display())
            }
            Self::InUse { path } => write!(
                f,
                "another counterd uses this directory: it has {} open. End it, or name another directory with --data",
                path.display()
            ),
            Self::Newer { path, found, known } => write!(
                f,
                "{} is in version {found} of the format, and this release knows versions up to {known}. Start the release that \
                 has written it, or a later one",
                path.display()
            ),
            Self::Damaged { path, reason } => write!(
                f,
                "{} is damaged and was left as it is: {reason}. Move it away, start again, and merge your last export with \
                 `counterd import`",
                path.display()
            ),
            Self::Name { given } => {
                write!(f, "\"{given}\" is no name for a node: it has 1 to 32 letters, digits, - and _")
            }
            Self::OtherNode { node, given } => write!(
                f,
                "the data directory belongs to the node {node}, not {given}. Leave the name out, or name another directory"
            ),
            Self::Failed(fatal) => fatal.fmt(f),
            Self::NoThread(error) => write!(f, "can't start a thread: {error}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unusable { error, .. } | Self::NoThread(error) => Some(error),
            Self::Failed(fatal) => Some(fatal),
            Self::InUse { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Name { .. }
            | Self::OtherNode { .. } => None,
        }
    }
}

/// The database file fails in a way that this process must not go on after: it no longer knows what the file holds.
///
/// Everything that was acknowledged under `--ack store` is in the file. The next process finds it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fatal {
    file: PathBuf,
    reason: String,
}

impl Fatal {
    pub(super) fn new(file: &Path, reason: impl fmt::Display) -> Self {
        Self { file: file.into(), reason: reason.to_string() }
    }

    /// The database file.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, reason } = self;
        write!(
            f,
            "{}: {reason}. This process ends, because it can't know what the disk holds. Check the disk, and start again",
            file.display()
        )
    }
}

impl std::error::Error for Fatal {}

/// What went wrong with the database, before it is said of which file.
#[derive(Debug)]
pub(super) enum Problem {
    /// The file does not do what it is asked to.
    Io(io::Error),
    /// Another process has it open.
    InUse,
    /// A later release has written it.
    Newer { found: u32, known: u32 },
    /// Nobody has written it so.
    Damaged(String),
}

impl Problem {
    pub(super) fn damaged(reason: impl fmt::Display) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// The problem of opening this file.
    pub(super) fn of(self, path: &Path) -> OpenError {
        let path = path.into();
        match self {
            Self::Io(error) => OpenError::Unusable { path, error },
            Self::InUse => OpenError::InUse { path },
            Self::Newer { found, known } => OpenError::Newer { path, found, known },
            Self::Damaged(reason) => OpenError::Damaged { path, reason },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::InUse => f.write_str("another process has it open"),
            Self::Newer { found, .. } => write!(f, "it is in version {found} of the format"),
            Self::Damaged(reason) => f.write_str(reason),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        Self::damaged(unreadable)
    }
}

impl From<redb::Error> for Problem {
    fn from(error: redb::Error) -> Self {
        match error {
            // That is how redb says that a file is none of its own.
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Self::damaged(error),
            // Only a read behind the end of the file ends so.
            redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::damaged("it is shorter than it says")
            }
            redb::Error::Io(error) => Self::Io(error),
            redb::Error::PreviousIo => Self::Io(io::Error::other("an earlier read or write has failed")),
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            other => Self::damaged(other),
        }
    }
}

macro_rules! from_redb {
    ($($Error:ty),+) => {$(
        impl From<$Error> for Problem {
            fn from(error: $Error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )+};
}

from_redb!(DatabaseError, StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
