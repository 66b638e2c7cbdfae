//! `counterd token`: makes a token.

use super::client::Failure;
use crate::access::{NewToken, Scope, new_token};

/// `counterd token`
#[derive(Debug, clap::Args)]
pub struct Token {
    /// Whose token it is, for the file.
    name: String,
    /// What it may do: add, read, admin.
    #[arg(long, value_delimiter = ',', default_value = "add,read")]
    scopes: Vec<Scope>,
    /// Only counters whose names begin with this.
    #[arg(long, default_value = "")]
    prefix: String,
}

impl Token {
    /// The secret, for standard error, and the line for the file of tokens, for standard output.
    pub(super) fn run(&self) -> Result<(String, String), Failure> {
        let NewToken { secret, line } = new_token(&self.name, &self.scopes, &self.prefix)?;
        Ok((format!("the secret, which is shown once: {secret}\n"), format!("{line}\n")))
    }
}
