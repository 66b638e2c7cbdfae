//! TLS, and what is open to other machines.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::harness::{Counterd, Setup, is_missing, wait_until};
use crate::web::{PATIENCE, raw, send_by};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A directory with a certificate and its key, and a client that trusts it alone.
pub(crate) fn certify(directory: &Path) -> ureq::Agent {
    let made = rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]).unwrap();
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let config = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false);
    config.timeout_global(Some(PATIENCE)).build().into()
}

pub(crate) fn with_tls(directory: &Path) -> Setup {
    let [cert, key] = ["cert.pem", "key.pem"].map(|file| directory.join(file).to_str().unwrap().to_owned());
    Setup::new().with(&["--tls-cert", &cert, "--tls-key", &key])
}

fn https(counterd: &Counterd) -> String {
    counterd.http.replace("http://", "https://").replace("httpss", "https")
}

#[test]
fn counters_are_served_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let agent = certify(directory.path());
    let counterd = with_tls(directory.path()).start();
    let url = format!("{}/v1/counters/views/add", https(&counterd));
    let added = send_by(&agent, "POST", &url, &[JSON], "{\"delta\": 3}");
    assert_eq!(added.json()["value"], 3);
    // Who does not trust the certificate sends nothing, and who does not speak TLS is not heard.
    assert!(ureq::get(&url).call().is_err());
    let address = counterd.http.rsplit_once('/').unwrap().1;
    let mut plain = raw(address, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut said = Vec::new();
    let _reset_or_end = std::io::Read::read_to_end(&mut plain, &mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}

#[test]
fn http_2_is_served_over_tls() {
    if is_missing("curl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let _agent = certify(directory.path());
    let counterd = with_tls(directory.path()).start();
    for (wish, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", wish, "--max-time", "30", "-w", " %{http_version}", "--cacert"]);
        curl.arg(directory.path().join("cert.pem")).args(["-H", "content-type: application/json"]);
        curl.args(["-d", "{\"delta\": 3}"]).arg(format!("{}/v1/counters/{version}/add", https(&counterd)));
        let said = curl.output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        let (body, used) = text.rsplit_once(' ').unwrap_or_else(|| panic!("{said:?}", said = said.stderr));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body, used), (&json!({"value": 3, "durability": "stored", "replayed": false}), version));
    }
}

/// Over HTTP/2 the library answers before the server sees the request, and a document can't be added.
#[test]
fn over_http_2_a_head_that_is_too_large_is_refused_without_a_document() {
    if is_missing("curl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let _agent = certify(directory.path());
    let counterd = with_tls(directory.path()).start();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--http2", "--max-time", "30", "-w", "%{http_version} %{http_code}", "--cacert"]);
    curl.arg(directory.path().join("cert.pem"));
    // The bound is 64 KiB, where each header counts 32 bytes more than it has. Curl does not send more than 64 KiB.
    curl.args((0..1_000).flat_map(|number| ["-H".into(), format!("x{number}: {}", "x".repeat(40))]));
    let said = curl.arg(format!("{}/livez", https(&counterd))).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "2 431", "{said:?}");
}

#[test]
fn a_renewed_certificate_is_used_after_a_hangup() {
    let directory = tempfile::tempdir().unwrap();
    let before = certify(directory.path());
    let counterd = with_tls(directory.path()).start();
    let url = format!("{}/livez", https(&counterd));
    assert_eq!(send_by(&before, "GET", &url, &[], "").status, 200);
    // A file that is not whole changes nothing.
    let whole = fs::read(directory.path().join("cert.pem")).unwrap();
    fs::write(directory.path().join("cert.pem"), &whole[..100]).unwrap();
    counterd.signal("HUP");
    assert_eq!(send_by(&before, "GET", &url, &[], "").status, 200);
    let after = certify(directory.path());
    counterd.signal("HUP");
    wait_until(PATIENCE, "the certificate is in use", || after.get(&url).call().is_ok());
}

#[test]
fn it_is_open_to_other_machines_only_if_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let _agent = certify(directory.path());
    let tokens = directory.path().join("tokens");
    let token = counterd::access::new_token("t", &[counterd::access::Scope::Read], "").unwrap();
    fs::write(&tokens, token.line).unwrap();
    let tokens = ["--tokens", tokens.to_str().unwrap()];
    let plain = Setup::new;
    let tls = || with_tls(directory.path());
    for (setup, missing) in [
        (plain(), "--tls-cert, --tls-key and --tokens"),
        (plain().with(&tokens), "--tls-cert and --tls-key"),
        (tls(), "--tokens"),
    ] {
        for open in [["--http", "0.0.0.0:0"], ["--redis", "0.0.0.0:0"]] {
            let said = refusal(on(&setup, open));
            assert!(said.contains(&format!("give {missing},")), "{said}");
            assert!(said.contains("--insecure"), "{said}");
        }
    }
    for setup in [plain().with(&["--insecure"]), tls().with(&tokens)] {
        drop(Counterd::of(on(&setup, ["--http", "0.0.0.0:0"])));
    }
}

/// What the program says when it ends instead of starting.
fn refusal(mut command: Command) -> String {
    let log = tempfile::NamedTempFile::new().unwrap();
    command.stderr(log.reopen().unwrap());
    let status = Counterd::of(command).err().expect("it starts");
    assert!(!status.success());
    fs::read_to_string(log.path()).unwrap()
}

/// A command that listens elsewhere. A later flag can't replace an earlier one, so it is built anew.
fn on(setup: &Setup, [flag, address]: [&str; 2]) -> Command {
    let command = setup.command();
    let mut changed = crate::harness::command();
    let mut arguments = command.get_args().skip(crate::harness::tied().len());
    while let Some(argument) = arguments.next() {
        changed.arg(argument);
        if argument == flag {
            arguments.next();
            changed.arg(address);
        }
    }
    changed
}

#[test]
fn a_key_that_does_not_fit_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (_agent, _other) = (certify(directory.path()), certify(other.path()));
    fs::copy(other.path().join("key.pem"), directory.path().join("key.pem")).unwrap();
    let refused = |problem: &str| {
        let said = refusal(with_tls(directory.path()).command());
        assert!(said.contains(problem), "{said}");
    };
    refused("does not fit");
    fs::write(directory.path().join("key.pem"), "no key").unwrap();
    refused("key.pem");
    fs::remove_file(directory.path().join("cert.pem")).unwrap();
    refused("cert.pem");
}
