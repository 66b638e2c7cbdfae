//! TLS to the NATS servers, with certificates on both sides.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::security::configuration;
use super::server::NatsServer;
use super::{node, wait_until_agreed, wait_until_ready};
use crate::harness::Setup;
use crate::redis::wire::Wire;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes `NAME.pem` and `NAME.key`, a certificate of this authority.
fn certify(authority: &Authority, directory: &Path, name: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    let certificate = params.signed_by(&key, &**authority).unwrap();
    std::fs::write(directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

#[test]
fn nodes_and_servers_know_each_other_by_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (authority(), authority());
    std::fs::write(directory.path().join("ca.pem"), ours.pem()).unwrap();
    std::fs::write(directory.path().join("their-ca.pem"), theirs.pem()).unwrap();
    for (authority, name) in [(&ours, "server"), (&ours, "n1"), (&ours, "n2"), (&theirs, "n3")] {
        certify(authority, directory.path(), name);
    }
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let text = configuration(&["--nodes", "n1,n2,n3", "--keys", &path("."), "--tls", &path(".")]);
    let Some(server) = NatsServer::start_with("s0", &text, &[]) else { return };
    let url = server.url.replace("tls://", "nats://");
    let setup = |name: &str, ca: &str, certificate: &str| {
        let (certificate, key) = (path(&format!("{certificate}.pem")), path(&format!("{certificate}.key")));
        let own = ["--nats-creds", &path(&format!("{name}.nk")), "--nats-ca", &path(ca)];
        node(name, &url).with(&own).with(&["--nats-cert", &certificate, "--nats-key", &key])
    };
    let setups = [setup("n1", "ca.pem", "n1"), setup("n2", "ca.pem", "n2")];
    let nodes = setups.each_ref().map(Setup::start);
    nodes.iter().for_each(wait_until_ready);
    let reply = Wire::to(&nodes[0].redis).ask(&["INCRBY", "views", "3"]);
    assert!(reply.starts_with(':'), "{reply}");
    wait_until_agreed(&nodes.each_ref(), (3, 3));
    let missing = setup("n3", "ca.pem", "nobody").try_start().err().expect("it has no certificate");
    assert!(missing.log.contains("nobody.pem can't be read"), "{}", missing.log);
    // Without the certificate of an authority that the other side trusts, nobody gets in. A node tries for half a minute: not here.
    for (ca, certificate) in [("their-ca.pem", "n3"), ("ca.pem", "n3")] {
        let options = async_nats::ConnectOptions::with_nkey(
            std::fs::read_to_string(path("n3.nk")).unwrap().trim().into(),
        );
        let options = options
            .add_root_certificates(path(ca).into())
            .add_client_certificate(
                path(&format!("{certificate}.pem")).into(),
                path(&format!("{certificate}.key")).into(),
            )
            .require_tls(true);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        assert!(runtime.block_on(options.connect(&url)).is_err(), "{ca}");
    }
}
