//! What the servers say of themselves and of the stream, for an operator.

use super::joining::{Joining, context_of};
use super::stream::{self, NoStream};
use super::{JoinError, Settings, check_names};
use crate::Names;

/// What the servers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of the server that answered, such as `2.12.1`.
    pub version: String,
    /// How many servers it names, itself included. Those of other sites are not among them.
    pub servers: usize,
    /// The stream, if there is one.
    pub stream: Option<StreamState>,
}

/// A stream, as its leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Its name.
    pub name: String,
    /// Why counts would not be safe in it.
    pub fault: Option<String>,
    /// How many copies there are to be.
    pub copies: usize,
    /// The servers whose copy is not up to date, or that can't be reached.
    pub behind: Vec<String>,
}

/// Looks at the servers and the stream as this node does. It changes nothing.
///
/// # Errors
///
/// [`JoinError`], in words that say what to do.
pub async fn inspect(settings: &Settings, node: &str) -> Result<Inspection, JoinError> {
    let me = check_names(settings, Some(node))?;
    let names = Names::new(&settings.cluster, me).at(settings.site.clone());
    let joining = Joining::begin(settings, &names);
    let client = joining.connect().await?;
    let context = context_of(&client);
    let stream = tokio::select! {
        stream = stream::look(&context, &names) => stream.map_err(|(NoStream::NotNow(problem) | NoStream::Never(problem))| JoinError::Stream(problem))?,
        refusal = joining.refused() => return Err(JoinError::Right(refusal)),
    };
    let server = client.server_info();
    // A server that is alone names none.
    let servers = server.connect_urls.len().max(1);
    Ok(Inspection { version: server.version, servers, stream })
}
