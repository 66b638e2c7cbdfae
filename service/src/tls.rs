//! TLS, for both protocols.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// How long a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// A connection, with TLS or without.
pub type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// How clients are greeted: with one certificate, whatever the protocol.
pub struct Tls {
    /// For HTTP: clients choose HTTP/2 or HTTP/1.1 in the handshake.
    pub http: TlsAcceptor,
    /// For the Redis protocol.
    pub redis: TlsAcceptor,
    certificate: Arc<Certificate>,
    files: (PathBuf, PathBuf),
}

/// The certificate and its key. They can be replaced while the server runs.
#[derive(Debug)]
struct Certificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads the files: certificates as PEM, the server's own first, and its key.
    ///
    /// # Errors
    ///
    /// In words, with the file.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, String> {
        let read = read(certificates, key)?;
        let certificate = Arc::new(Certificate(RwLock::new(Arc::new(read))));
        let config = |protocols: &[&[u8]]| {
            let provider = Arc::new(ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.map_err(|error| format!("can't set up TLS: {error}"))?;
            let mut config = config.with_no_client_auth().with_cert_resolver(certificate.clone());
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Ok::<_, String>(TlsAcceptor::from(Arc::new(config)))
        };
        let (http, redis) = (config(&[b"h2", b"http/1.1"])?, config(&[])?);
        Ok(Self { http, redis, certificate, files: (certificates.into(), key.into()) })
    }

    /// Reads the files again. Connections that are open keep the certificate that they have.
    ///
    /// # Errors
    ///
    /// In words, with the file. Then the certificate of before stays in force.
    pub fn reload(&self) -> Result<(), String> {
        let (certificates, key) = &self.files;
        let read = Arc::new(read(certificates, key)?);
        *self.certificate.0.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }
}

fn read(certificates: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let failed = |path: &Path, problem: &dyn std::fmt::Display| {
        format!("can't read {}: {problem}: it must be a file of PEM", path.display())
    };
    let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| failed(certificates, &error))?;
    if chain.is_empty() {
        return Err(format!("{} has no certificate", certificates.display()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, &error))?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|error| {
        format!("the key in {} does not fit {}: {error}", key.display(), certificates.display())
    })
}

/// Greets a client: with TLS if there is an acceptor.
///
/// # Errors
///
/// The handshake failed, or took longer than ten seconds.
pub async fn accept(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> io::Result<Stream> {
    let Some(acceptor) = acceptor else { return Ok(Either::Left(stream)) };
    let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream));
    Ok(Either::Right(handshake.await.map_err(|_| io::ErrorKind::TimedOut)??))
}
