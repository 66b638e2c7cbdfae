//! A `counterd` process of a test's own, on ports that are free, in a directory of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use counterd::clock::Stopwatch;
use serde_json::Value;

/// A running `counterd`. It is killed when it is dropped.
pub(crate) struct Counterd {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) http: String,
    /// `127.0.0.1:PORT`
    pub(crate) redis: String,
}

/// Where clients find a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http://127.0.0.1:PORT`
    pub(crate) http: String,
    /// `127.0.0.1:PORT`
    pub(crate) redis: String,
}

/// A directory for the database, removed at the end, and how to start on it.
pub(crate) struct Setup {
    directory: tempfile::TempDir,
    data: PathBuf,
    arguments: Vec<String>,
    /// A program that starts `counterd`, with its arguments.
    starter: Vec<String>,
}

/// A `counterd` that may not listen yet. It is killed when it is dropped.
pub(crate) struct Begun(Counterd);

/// It did not start.
#[derive(Debug)]
pub(crate) struct NotStarted {
    pub(crate) status: ExitStatus,
    /// What it has written to standard error.
    pub(crate) log: String,
}

impl Setup {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        Self { directory, data, arguments: Vec::new(), starter: Vec::new() }
    }

    /// With these arguments too.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// On this directory, and started by this program.
    pub(crate) fn on(mut self, data: &Path, starter: Vec<String>) -> Self {
        (self.data, self.starter) = (data.into(), starter);
        self
    }

    /// Started by this program.
    pub(crate) fn started_by(mut self, starter: Vec<String>) -> Self {
        self.starter = starter;
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// What the process that was started last has written to standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// A command that starts the program on this directory. Each address has a port that is free.
    pub(crate) fn command(&self) -> Command {
        let mut command = command_by(&self.starter);
        command.args(["--http", "127.0.0.1:0", "--redis", "127.0.0.1:0", "--data"]).arg(self.data());
        command.args(&self.arguments);
        command
    }

    /// Starts, and waits until it listens.
    pub(crate) fn start(&self) -> Counterd {
        self.try_start().unwrap_or_else(|NotStarted { status, log }| panic!("it ended with {status}: {log}"))
    }

    /// Starts, and waits until it listens or has ended.
    pub(crate) fn try_start(&self) -> Result<Counterd, NotStarted> {
        self.begin().listens().map_err(|status| NotStarted { status, log: self.log() })
    }

    /// Starts.
    pub(crate) fn begin(&self) -> Begun {
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        let mut command = self.command();
        command.stderr(log);
        Begun::of(command)
    }
}

/// The program, in an environment without settings of its own.
pub(crate) fn command() -> Command {
    command_by(&[])
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_counterd");

/// The program, started by another one.
fn command_by(starter: &[String]) -> Command {
    let words = starter.iter().map(String::as_str).chain(tied().iter().copied()).chain([PROGRAM]);
    let words: Vec<_> = words.collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    let settings = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERD_"));
    settings.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null());
    command
}

/// What starts a process that the system kills once the thread that has started it ends. So none survives a test run that is killed.
/// Empty where that can't be had.
pub(crate) fn tied() -> &'static [&'static str] {
    if is_installed("setpriv") { &["setpriv", "--pdeathsig", "KILL", "--"] } else { &[] }
}

impl Begun {
    fn of(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        Self(Counterd { child, http: String::new(), redis: String::new() })
    }

    /// Waits until it listens, or has ended.
    pub(crate) fn listens(self) -> Result<Counterd, ExitStatus> {
        let Self(mut counterd) = self;
        let lines = BufReader::new(counterd.child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("counterd listens on http") {
                counterd.http = format!("http{address}");
            } else if let Some((_, address)) = line.split_once("counterd listens on redis") {
                let (_, address) = address.split_once("://").unwrap();
                address.clone_into(&mut counterd.redis);
            } else if line.starts_with("read:") {
                break;
            }
        }
        if counterd.http.is_empty() { Err(counterd.child.wait().unwrap()) } else { Ok(counterd) }
    }

    /// Asks it to end, and waits for that, no longer than `within`.
    pub(crate) fn terminate(self, within: Duration) -> ExitStatus {
        let Self(mut counterd) = self;
        counterd.signal("TERM");
        let mut status = None;
        wait_until(within, "it ends", || {
            status = counterd.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Counterd {
    /// Starts this command, and waits until it listens.
    pub(crate) fn of(command: Command) -> Result<Self, ExitStatus> {
        Begun::of(command).listens()
    }

    pub(crate) fn address(&self) -> Address {
        Address { http: self.http.clone(), redis: self.redis.clone() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let arguments = [format!("-{signal}"), self.pid().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// Kills it, as a power cut would end it for the process.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    /// The value of a counter, over HTTP.
    pub(crate) fn value(&self, name: &str) -> i64 {
        let url = format!("{}/v1/counters/{name}", self.http);
        let body = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str::<Value>(&body).unwrap()["value"].as_i64().unwrap()
    }
}

impl Drop for Counterd {
    fn drop(&mut self) {
        let _is_dead_already = self.child.kill();
        let _is_dead_already = self.child.wait();
    }
}

/// Waits until this holds, no longer than `within`.
pub(crate) fn wait_until(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Stopwatch::start();
    while !holds() {
        assert!(begin.elapsed() < within, "{what}: it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a program can be found. If not, the test is [skipped](skip).
pub(crate) fn is_missing(program: &str) -> bool {
    let is_missing = !is_installed(program);
    if is_missing {
        skip(&format!("{program} is not installed"));
    }
    is_missing
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
    })
}

/// Says loudly that a test is skipped. `.ci/run` counts the lines of the file that `COUNTERD_TEST_SKIPS` names.
pub(crate) fn skip(reason: &str) {
    let line = format!("SKIPPED: {reason}");
    println!("{line}");
    if let Some(path) = std::env::var_os("COUNTERD_TEST_SKIPS") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
