//! TLS, on the Redis port.

use std::process::Command;

use super::wire::{Wire, command};
use crate::harness::is_missing;
use crate::tls::{certify, with_tls};

#[test]
fn commands_are_served_over_tls() {
    if is_missing("redis-cli") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let _agent = certify(directory.path());
    let counterd = with_tls(directory.path()).start();
    let (_, port) = counterd.redis.rsplit_once(':').unwrap();
    let certificate = directory.path().join("cert.pem");
    let trusting = ["--tls", "--cacert", certificate.to_str().unwrap()];
    let say = |trust: &[&str], command: &[&str]| {
        let mut cli = Command::new("redis-cli");
        let output = cli.args(["-p", port]).args(trust).args(command).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(say(&trusting, &["incrby", "views", "3"]), "3\n");
    // Who does not trust the certificate sends nothing, and who does not speak TLS is not heard.
    assert_eq!(say(&["--tls"], &["incr", "views"]), "");
    let mut plain = Wire::to(&counterd.redis);
    plain.send(&command(&["INCR", "views"]));
    let said = plain.rest();
    assert!(!said.contains(':'), "{said:?}");
    assert_eq!(say(&trusting, &["get", "views"]), "3\n");
}
