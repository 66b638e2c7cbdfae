"""Adds to NATS JetStream counters: a client with little more than sockets, so that the server is measured and not a library."""

import json
import random
import selectors
import socket
import time

STREAM = {"name": "COUNTERS", "subjects": ["counter.>"], "storage": "file", "allow_msg_counter": True, "max_msgs_per_subject": 1}
INCREMENT = b"NATS/1.0\r\nNats-Incr: 1\r\n\r\n"


class Connection:
    """A connection with at most one request in flight."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inbox = b"_INBOX.%d" % random.getrandbits(64)
        self.begun = 0.0
        self.socket.sendall(
            b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB %s 1\r\nPING\r\n' % self.inbox
        )
        self.buffer = b""
        while not self.buffer.endswith(b"PONG\r\n"):
            self.buffer += self.socket.recv(65536)
        self.buffer = b""

    def add(self, counter):
        size = len(INCREMENT)
        self.begun = time.perf_counter()
        self.socket.sendall(b"HPUB counter.%d %s %d %d\r\n%s\r\n" % (counter, self.inbox, size, size, INCREMENT))

    def answered(self):
        """Whether the add is acknowledged, once bytes have come."""
        self.buffer += self.socket.recv(65536)
        if self.buffer.endswith(b"PING\r\n"):
            self.socket.sendall(b"PONG\r\n")
        # Without responders the answer has a status and no JSON.
        if b"}\r\n" not in self.buffer and b" 503" not in self.buffer and self.buffer:
            return False
        if b'"val"' not in self.buffer:
            raise RuntimeError(f"NATS has not counted an add, which needs nats-server 2.12 or later: {self.buffer}")
        self.buffer = b""
        return True


def make_stream(port, replicas=1):
    """Makes the stream of counters, with so many copies."""
    connection = Connection(port)
    # Servers that have no leader yet do not answer.
    connection.socket.settimeout(5)
    body = json.dumps(STREAM | {"num_replicas": replicas}).encode()
    connection.socket.sendall(
        b"PUB $JS.API.STREAM.CREATE.COUNTERS %s %d\r\n%s\r\n" % (connection.inbox, len(body), body)
    )
    answer = b""
    while not answer.endswith(b"}\r\n"):
        answer += connection.socket.recv(65536)
    if b'"did_create":true' not in answer:
        raise RuntimeError(f"NATS makes no stream of counters: {answer}")


def adds(port, connections, counters, number):
    """Adds, each connection as soon as its last add is acknowledged. Returns the latencies in ms."""
    selector, latencies, left = selectors.DefaultSelector(), [], number
    all_connections = [Connection(port) for _ in range(connections)]
    for connection in all_connections[:number]:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.add(random.randrange(counters))
        left -= 1
    while len(latencies) < number:
        for key, _ in selector.select():
            connection = key.data
            if not connection.answered():
                continue
            latencies.append((time.perf_counter() - connection.begun) * 1e3)
            if left > 0:
                connection.add(random.randrange(counters))
                left -= 1
    return latencies
