//! NATS servers of a test's own.
#![allow(dead_code, reason = "each test crate uses some of it")]

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server with JetStream, on ports that are free. It is killed when it is dropped.
pub(crate) struct NatsServer {
    child: Option<Child>,
    /// `nats://127.0.0.1:PORT`
    pub(crate) url: String,
    /// `http://127.0.0.1:PORT`: what it tells of itself.
    pub(crate) monitor: String,
    /// The address for other servers: `127.0.0.1:PORT`. Empty: it is alone.
    route: String,
    /// The addresses of all servers.
    routes: Vec<String>,
    name: String,
    /// A configuration file, if it has one.
    configuration: Option<String>,
    has_jetstream: bool,
    /// Environment variables for it.
    variables: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

impl NatsServer {
    /// A server alone. `None`: there is none on this machine, and the test is skipped.
    pub(crate) fn start() -> Option<Self> {
        is_there().then(|| {
            let mut server = Self::new("s0");
            server.begin();
            server
        })
    }

    /// A server of this name with this configuration and these environment variables. `None`: the test is skipped.
    pub(crate) fn start_with(name: &str, configuration: &str, variables: &[(&str, &str)]) -> Option<Self> {
        is_there().then(|| {
            let mut server = Self::new(name);
            server.configuration = Some(configuration.into());
            server.variables =
                variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            server.begin();
            server
        })
    }

    /// Servers that are a cluster. `None`: the test is skipped.
    pub(crate) fn start_cluster(count: usize) -> Option<Vec<Self>> {
        is_there().then(|| {
            // Each must know the others before it starts, so their ports are found first, all at once.
            let routes = free_addresses(count);
            let servers = routes.iter().enumerate().map(|(place, route)| {
                let mut server = Self::new(&format!("s{place}"));
                server.route.clone_from(route);
                server.routes.clone_from(&routes);
                server.begin();
                server
            });
            servers.collect()
        })
    }

    fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (route, routes, configuration, variables) = Default::default();
        let addresses = free_addresses(2);
        Self {
            child: None,
            url: format!("nats://{}", addresses[0]),
            monitor: format!("http://{}", addresses[1]),
            route,
            routes,
            name: name.into(),
            configuration,
            has_jetstream: true,
            variables,
            directory,
        }
    }

    /// Starts it, each time on the same ports.
    fn begin(&mut self) {
        let ports = self.directory.path().join("ports");
        let _there_is_none = std::fs::remove_dir_all(&ports);
        std::fs::create_dir(&ports).unwrap();
        let mut command = Command::new(if is_installed("setpriv") { "setpriv" } else { "nats-server" });
        if is_installed("setpriv") {
            command.args(["--pdeathsig", "KILL", "--", "nats-server"]);
        }
        let [port, monitor] = [&self.url, &self.monitor].map(|url| url.rsplit_once(':').unwrap().1);
        if self.has_jetstream {
            command.arg("-js");
        }
        command.args(["-a", "127.0.0.1", "-p", port, "-m", monitor, "-n", &self.name]);
        command.arg("--ports_file_dir").arg(&ports).current_dir(self.directory.path());
        let sets_directory = self.configuration.as_ref().is_some_and(|text| text.contains("store_dir"));
        if !sets_directory {
            command.args(["-sd", "data"]);
        }
        if !self.route.is_empty() {
            command.args(["--cluster_name", "test", "--cluster", &format!("nats://{}", self.route)]);
            let routes: Vec<_> = self.routes.iter().map(|route| format!("nats://{route}")).collect();
            command.args(["--routes", &routes.join(",")]);
        }
        if let Some(text) = &self.configuration {
            let file = self.directory.path().join("server.conf");
            std::fs::write(&file, text).unwrap();
            command.arg("-c").arg(file).envs(self.variables.clone());
        }
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        // It writes the file once it listens.
        wait_for(|| {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(
                ended.is_none(),
                "{}",
                std::fs::read_to_string(self.directory.path().join("log")).unwrap()
            );
            std::fs::read_to_string(ports_file(&ports)?).ok().filter(|text| text.ends_with('}'))
        });
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        let arguments = [format!("-{signal}"), self.pid().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// Kills it, as a power cut would end it for the process.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again after [`kill`](Self::kill), with its data.
    pub(crate) fn restart(&mut self) {
        self.has_jetstream = true;
        self.begin();
    }

    /// Starts it again after [`kill`](Self::kill), without JetStream.
    pub(crate) fn restart_without_jetstream(&mut self) {
        self.has_jetstream = false;
        self.begin();
    }

    /// Removes its data. It must not run.
    pub(crate) fn lose_data(&self) {
        std::fs::remove_dir_all(self.directory.path().join("data")).unwrap();
    }

    /// Copies its data. It must not run.
    pub(crate) fn back_up(&self) {
        self.copy("data", "backup");
    }

    /// Puts back what [`back_up`](Self::back_up) has copied. It must not run.
    pub(crate) fn restore(&self) {
        self.copy("backup", "data");
    }

    fn copy(&self, from: &str, to: &str) {
        let [from, to] = [from, to].map(|name| self.directory.path().join(name));
        let _there_is_none = std::fs::remove_dir_all(&to);
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _is_dead_already = child.kill();
            let _is_dead_already = child.wait();
        }
    }
}

/// Where no system looks for a port when a program asks for any. So nobody takes a port of a server that is down for now.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// Addresses with ports that are free, all found at once.
pub(crate) fn free_addresses(count: usize) -> Vec<String> {
    let random = || u16::try_from(RandomState::new().hash_one(0) % PORTS.len() as u64).unwrap();
    let ports = std::iter::repeat_with(|| TcpListener::bind(("127.0.0.1", PORTS.start + random())));
    let found: Vec<_> = ports.take(1_000).filter_map(Result::ok).take(count).collect();
    assert_eq!(found.len(), count, "there are free ports");
    found.iter().map(|port| port.local_addr().unwrap().to_string()).collect()
}

fn ports_file(directory: &Path) -> Option<std::path::PathBuf> {
    Some(std::fs::read_dir(directory).ok()?.next()?.ok()?.path())
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the server does not start");
}

/// Whether the server can be found. If not, the test is skipped, loudly: `.ci/run` counts the lines of the file that
/// `COUNTERD_TEST_SKIPS` names.
fn is_there() -> bool {
    let is_there = is_installed("nats-server");
    if !is_there {
        let line = "SKIPPED: nats-server is not installed";
        println!("{line}");
        if let Some(path) = std::env::var_os("COUNTERD_TEST_SKIPS") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{line}").unwrap();
        }
    }
    is_there
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}
