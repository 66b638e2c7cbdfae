//! Settings: flags, the environment and a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use counterd::config::{Config, Loaded, Place, SETTINGS, Sources};

use crate::harness::{self, Setup};

/// For each setting three values that are not its default, as the settings show them.
const VALUES: [(&str, [&str; 3]); 24] = [
    ("data", ["/a", "/b", "/c"]),
    ("node", ["a", "b", "c"]),
    ("ack", ["store", "memory", "store"]),
    ("nats", ["nats://a:1", "tls://b:2", "nats://c:3,nats://d:4"]),
    ("cluster", ["shop", "store", "till"]),
    ("site", ["eu", "us", "ap"]),
    ("nats-creds", ["a.creds", "b.creds", "c.creds"]),
    ("nats-ca", ["a.pem", "b.pem", "c.pem"]),
    ("nats-cert", ["a.crt", "b.crt", "c.crt"]),
    ("nats-key", ["a.key", "b.key", "c.key"]),
    ("http", ["localhost:1", "[::1]:2", "0.0.0.0:3"]),
    ("redis", ["localhost:1", "off", "0.0.0.0:3"]),
    ("tls-cert", ["/a.pem", "/b.pem", "/c.pem"]),
    ("tls-key", ["/a.key", "/b.key", "/c.key"]),
    ("tokens", ["/a", "/b", "/c"]),
    ("allow-host", ["a.example", "a,b.example", "c-d.example"]),
    ("insecure", ["true", "false", "true"]),
    ("max-connections", ["1", "2", "3"]),
    ("max-counters", ["1", "2", "3"]),
    ("max-body", ["1024", "2048", "4096"]),
    ("max-keys", ["1", "2", "3"]),
    ("key-window", ["1h", "2h", "3h"]),
    ("log", ["warn", "debug", "error,counterd=trace"]),
    ("log-format", ["json", "text", "json"]),
];

/// A configuration file of a test's own.
struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("counterd.toml")
    }
}

fn with_flags(flags: &[(&'static str, &str)]) -> Sources {
    Sources {
        flags: flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        ..Sources::default()
    }
}

fn with_file(file: &Path) -> Sources {
    Sources { file: Some(file.into()), ..Sources::default() }
}

/// The line of a setting, as `counterd config` prints it.
fn line(loaded: &Loaded, key: &str) -> String {
    let text = loaded.to_string();
    text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned()
}

#[test]
fn each_setting_has_values_here() {
    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    assert_eq!(keys, VALUES.map(|(key, _)| key));
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let lines = VALUES.iter().map(|(key, [value, ..])| format!("{key} = \"{value}\"\n"));
    let text = lines.collect::<Vec<_>>().concat();
    let file = File::new(&text);
    let variables: BTreeMap<_, _> = SETTINGS
        .iter()
        .zip(VALUES)
        .map(|(setting, (_, [_, value, _]))| (setting.variable().into(), value.into()))
        .collect();
    let flags: BTreeMap<_, _> = SETTINGS
        .iter()
        .zip(VALUES)
        .map(|(setting, (_, [.., value]))| (setting.key, value.to_owned()))
        .collect();
    let mut sources = with_file(&file.path());
    let of_file = sources.load().unwrap();
    sources.variables = variables;
    let of_variables = sources.load().unwrap();
    sources.flags = flags;
    let of_flags = sources.load().unwrap();
    for (number, (key, values)) in (1..).zip(VALUES) {
        let variable = SETTINGS.iter().find(|setting| setting.key == key).unwrap().variable();
        let places = [Place::File(file.path(), number), Place::Variable(variable), Place::Flag(key)];
        for ((loaded, value), place) in
            [&of_file, &of_variables, &of_flags].into_iter().zip(values).zip(places)
        {
            assert_eq!(*loaded.place(key), place);
            let line = line(loaded, key).replace('"', "");
            assert_eq!(line, format!("{key} = {value} # {place}"));
        }
    }
}

#[test]
fn what_config_prints_is_a_file_with_the_same_settings() {
    for flags in [
        &[][..],
        &[("node", "007"), ("data", "/with \"quotes\" and # signs"), ("redis", "off"), ("insecure", "true")],
        &[
            ("tls-cert", "c"),
            ("tls-key", "k"),
            ("key-window", "90min"),
            ("max-body", "3MiB"),
            ("log-format", "json"),
        ],
    ] {
        let loaded = with_flags(flags).load().unwrap();
        let file = File::new(&loaded.to_string());
        assert_eq!(with_file(&file.path()).load().unwrap().config, loaded.config);
    }
}

#[test]
fn without_settings_the_defaults_hold() {
    let loaded = Sources::default().load().unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(*loaded.place("data"), Place::Default);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let variables = [("COUNTERD_ACK".into(), "".into()), ("COUNTERD_CONFIG".into(), "".into())].into();
    let loaded = Sources { variables, ..Sources::default() }.load().unwrap();
    assert_eq!(loaded.config, Config::default());
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    let wrong = [
        ("node", "a b"),
        ("node", &"x".repeat(33)),
        ("ack", "maybe"),
        ("http", "7170"),
        ("http", ":7170"),
        ("redis", "localhost:70000"),
        ("insecure", "yes"),
        ("max-connections", "0"),
        ("max-counters", "-1"),
        ("max-body", "2TiB"),
        ("key-window", "never"),
        ("key-window", "0s"),
        ("log", "inof"),
        ("log", "tokio=trace"),
        ("log-format", "xml"),
        ("data", ""),
    ];
    for (key, value) in wrong {
        let problem = with_flags(&[(key, value)]).load().unwrap_err();
        assert!(problem.starts_with(&format!("--{key}: ")), "{problem}");
        let file = File::new(&format!("# a comment\n{key} = \"{value}\"\n"));
        let problem = with_file(&file.path()).load().unwrap_err();
        assert!(problem.starts_with(&format!("{}, line 2: {key}: ", file.path().display())), "{problem}");
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key && !value.is_empty()) else {
            continue;
        };
        let variables = [(setting.variable().into(), value.into())].into();
        let problem = Sources { variables, ..Sources::default() }.load().unwrap_err();
        assert!(problem.starts_with(&format!("{}: ", setting.variable())), "{problem}");
    }
}

#[test]
fn a_wrong_value_is_refused_even_where_another_wins() {
    let file = File::new("max-body = 1");
    let sources = Sources { flags: [("max-body", "1MiB".to_owned())].into(), ..with_file(&file.path()) };
    assert!(sources.load().unwrap_err().contains("line 1: max-body: "));
}

#[test]
fn a_file_with_a_fault_is_refused_with_the_line() {
    let faults = [
        ("data = \"x\"\nmax_body = 7\n", 2, "there is no setting max_body"),
        ("\n\nhttp = [1]\n", 3, "takes a string, a number or a boolean"),
        ("[http]\nlisten = \"x\"\n", 1, "takes a string, a number or a boolean"),
        ("data = \n", 1, ""),
        ("node = \"a\"\nnode = \"b\"\n", 2, "duplicate"),
        ("max-body = 0xffff\n", 1, "takes a string, a number or a boolean"),
    ];
    for (text, number, what) in faults {
        let file = File::new(text);
        let problem = with_file(&file.path()).load().unwrap_err();
        assert!(problem.starts_with(&format!("{}, line {number}: ", file.path().display())), "{problem}");
        assert!(problem.contains(what), "{problem}");
    }
    assert!(with_file(Path::new("/nowhere.toml")).load().unwrap_err().contains("/nowhere.toml"));
}

#[test]
fn a_certificate_needs_its_key() {
    let problem = with_flags(&[("tls-cert", "cert.pem")]).load().unwrap_err();
    assert_eq!(problem, "--tls-cert: TLS needs the key too: set tls-key");
    let problem = with_flags(&[("tls-key", "key.pem")]).load().unwrap_err();
    assert_eq!(problem, "--tls-key: TLS needs the certificate too: set tls-cert");
}

#[test]
fn config_prints_what_is_in_force() {
    let file = File::new("max-body = 4096\nnode = \"shop\"\n");
    let mut command = harness::command();
    command.args(["config", "--node", "n1", "--config"]).arg(file.path());
    command.env("COUNTERD_ACK", "memory").env("COUNTERD_TOKEN", "s3cret");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("node = \"n1\" # --node\n"), "{text}");
    assert!(text.contains("ack = \"memory\" # COUNTERD_ACK\n"), "{text}");
    assert!(text.contains(&format!("max-body = 4096 # {}, line 1\n", file.path().display())), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn the_server_obeys_the_file_and_the_environment() {
    let setup = Setup::new();
    let file = File::new("redis = \"off\"\nnode = \"from-file\"\n");
    let mut command = harness::command();
    command
        .args(["--http", "127.0.0.1:0"])
        .env("COUNTERD_DATA", setup.data())
        .env("COUNTERD_CONFIG", file.path());
    let counterd = harness::Counterd::of(command).unwrap();
    assert_eq!(counterd.redis, "", "the file turns the Redis port off");
    assert!(setup.data().is_dir(), "the variable names the directory");
}

#[test]
fn a_wrong_setting_ends_the_start() {
    let output = harness::command().args(["--max-body", "7"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("--max-body: \"7\" is no number of bytes from 1024 to 1073741824"), "{text}");
}
