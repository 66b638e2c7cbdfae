"""Servers that are started to be measured: on ports that are free, in directories of their own, and gone at the end."""

import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Ended by a signal, a script still ends its servers.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a directory of its own. It is ended when the block is left. With `strace` its syncs are counted, in `syncs`.

    `command_of` gets the directory and the port, and returns the command. `sync_delay`: so many ms more for each of its syncs.
    """

    def __init__(self, command_of, parent=None, strace=False, sync_delay=0):
        self.directory = tempfile.TemporaryDirectory(dir=parent)
        self.port = free_port()
        self.syncs = None
        command = command_of(self.directory.name, self.port)
        self.trace = self.directory.name + "/strace" if strace else None
        self.is_traced = strace or sync_delay > 0
        if strace:
            command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", self.trace, *command]
        elif sync_delay > 0:
            delay = f"inject=fsync,fdatasync:delay_exit={sync_delay * 1000:.0f}"
            command = ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-e", delay, "-o", os.devnull, *command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        sys.exit("a server did not start: " + " ".join(map(str, self.process.args)))

    def __exit__(self, *_):
        self.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.syncs = self.count_syncs() if self.trace else None
        self.directory.cleanup()

    def terminate(self):
        """Ends the server itself: strace would let go of it and end alone. Once the server has ended, strace prints its table."""
        pid = self.process.pid
        if self.process.poll() is not None:
            return
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if self.is_traced else [pid]
        for child in children:
            os.kill(int(child), signal.SIGTERM)

    def count_syncs(self):
        text = pathlib.Path(self.trace).read_text()
        return sum(int(line.split()[3]) for line in text.splitlines() if re.search(r"\b(fsync|fdatasync)$", line))


def has_strace():
    return shutil.which("strace") is not None


def redis_benchmark(port, keys, requests, pipeline=1, connections=50):
    """INCR over so many connections. Returns how many a second, and p50 and p99 in ms."""
    command = ["redis-benchmark", "-p", str(port), "-t", "incr", "-c", str(connections), "-P", str(pipeline), "-n", str(requests), "--csv"]
    # Without -r all requests have the same key.
    command += ["-r", str(keys)] if keys > 1 else []
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    row = next(line for line in lines if line.startswith('"INCR"'))
    fields = [field.strip('"') for field in row.split(",")]
    return float(fields[1]), float(fields[4]), float(fields[6])


# Each process serves half of the connections.
PROCESSES = 2


def load_by(adds, port, connections, counters, number):
    """Loads a server by a client in Python: `adds` serves connections, and returns the latency of each add in ms.

    Returns how many adds a second, and the latencies in ms, sorted."""
    part = (port, connections // PROCESSES, counters, number // PROCESSES)
    with multiprocessing.Pool(PROCESSES) as pool:
        # The processes run before the clock does.
        pool.map(abs, range(PROCESSES))
        begun = time.perf_counter()
        parts = pool.starmap(adds, [part] * PROCESSES, chunksize=1)
        seconds = time.perf_counter() - begun
        pool.close()
        pool.join()
    latencies = sorted(latency for part in parts for latency in part)
    return len(latencies) / seconds, latencies
