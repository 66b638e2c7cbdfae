#!/usr/bin/env python3
"""odd.py WORKLOAD [FAULT]: a node with one fault, of which the verdict is known. Without a fault it is right.

Its counter tells the peers of each add before it answers, so that chance decides nothing.
"""

import json
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "nodes"))

from node import KV, Node, RpcError, error  # noqa: E402

WORKLOAD, FAULT = (sys.argv[1:] + [""])[:2]
LATE = 6.0
# How many reads the lazy node is behind.
BEHIND = 10


class Odd(Node):
    """A node that does something wrong with its answers. The 10th answer of n1 is the one that comes late, and so on."""

    answers = 0

    def answer(self, message, body):
        if not body:
            return
        self.answers += 1
        is_chosen = self.id == "n1" and self.answers == 10
        if FAULT == "late" and is_chosen:
            timer = threading.Timer(LATE, super().answer, (message, body))
            timer.daemon = True
            return timer.start()
        if FAULT == "prints" and is_chosen:
            with self.lock:
                print("DEBUG: the value has changed", flush=True)
        if FAULT == "dies" and is_chosen:
            print("KeyError: 'n7'", file=sys.stderr, flush=True)
            os._exit(1)
        body = self.changed(message["body"], body)
        if FAULT == "runs-on" and is_chosen:
            with self.lock:
                print(json.dumps({"src": self.id, "dest": message["src"]}), end="", flush=True)
        super().answer(message, body)
        if FAULT == "answers-twice" and is_chosen:
            super().answer(message, body)
        if FAULT == "init-twice" and body["type"] == "init_ok":
            super().answer(message, body)


    def changed(self, request, body):
        """The answer with what is wrong about it."""
        if FAULT == "null-id":
            return {**body, "msg_id": None}
        if FAULT == "request-left-in" and body["type"] == "add_ok":
            return {**body, "delta": request["delta"]}
        if FAULT in ("float", "text") and body["type"] == "read_ok":
            return {**body, "value": {"float": float, "text": str}[FAULT](body["value"])}
        if FAULT in ("error-as-text", "error-without-code") and body["type"] == "add_ok":
            code = {"code": "11"} if FAULT == "error-as-text" else {}
            return {"type": "error", "text": "odd", **code}
        if FAULT == "other-type" and body["type"] == "read_ok":
            return {**body, "type": "ok"}
        return body

    def send(self, dest, body):
        """Messages to clients may lack the right reference to the request."""
        if "in_reply_to" in body and body["type"] != "init_ok":
            if FAULT == "reply-to-text":
                body = {**body, "in_reply_to": str(body["in_reply_to"])}
            if FAULT == "reply-to-nothing":
                body = {key: value for key, value in body.items() if key != "in_reply_to"}
        super().send(dest, body)


if FAULT == "deaf-to-sigterm":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
node = Odd(patience=0.05 if FAULT == "repeats" else 0.5)
kv = KV(node, "lin-kv")
lock = threading.Lock()


def counter():
    slots, adds, learned = {}, [0], []

    def tell(kind, body):
        for peer in node.peers:
            node.send(peer, {"type": kind, **body})

    @node.on("add")
    def add(body):
        delta = body["delta"]
        if FAULT == "grows-only" and delta < 0:
            return error(12, "a delta must not be negative")
        with lock:
            adds[0] += delta > 0
            is_forgotten = FAULT == "forgets" and delta > 0 and adds[0] % 20 == 0
            if FAULT == "goes-back" and adds[0] == 10:
                slots.clear()
            if not is_forgotten:
                slots[node.id] = slots.get(node.id, 0) + delta
            known = dict(slots)
        if FAULT == "lazy":
            kv.write(node.id, known[node.id])
        elif FAULT == "repeats":
            for peer in node.peers:
                threading.Thread(target=count, args=(peer, delta)).start()
        elif FAULT != "keeps-to-itself":
            tell("gossip", {"slots": known})
        if FAULT == "refuses" and adds[0] % 5 == 4:
            return error(11, "busy")
        return {"type": "add_ok"}

    def count(peer, delta):
        """Tells a peer of an add, and once more if it has not confirmed in time."""
        for _ in range(2):
            try:
                return node.call(peer, {"type": "count", "delta": delta})
            except TimeoutError:
                pass

    @node.on("count")
    def counted(body):
        with lock:
            slots["others"] = slots.get("others", 0) + body["delta"]
        return {"type": "count_ok"}

    @node.on("gossip")
    def merge(body):
        with lock:
            for name, value in body["slots"].items():
                slots[name] = max(value, slots.get(name, 0))

    @node.on("read")
    def read(body):
        with lock:
            value = sum(slots.values()) + sum(learned[0] if learned else [])
        if FAULT == "lazy":
            threading.Thread(target=catch_up).start()
        return {"type": "read_ok", "value": value}

    def catch_up():
        """Asks what the peers have counted. A later read shows it."""
        learned.append([kv.read(peer, 0) for peer in node.peers])
        if len(learned) > BEHIND:
            learned.pop(0)

    if FAULT not in ("lazy", "repeats", "keeps-to-itself"):

        @node.every(0.2)
        def gossip():
            with lock:
                known = dict(slots)
            tell("gossip", {"slots": known})


def broadcast():
    """Tells each message once to all others, and never again."""
    messages = set()

    if FAULT != "no-topology":

        @node.on("topology")
        def topology(body):
            return {"type": "topology_ok"}

    @node.on("broadcast")
    def spread(body):
        for peer in node.peers:
            node.send(peer, {"type": "told", "message": body["message"]})
        messages.add(body["message"])
        return {"type": "broadcast_ok"}

    @node.on("told")
    def told(body):
        messages.add(body["message"])

    @node.on("read")
    def read(body):
        return {"type": "read_ok", "messages": list(messages)}


def unique_ids():
    """Integers of 128 bits: the node's number, and a counter."""
    given = [0]

    @node.on("generate")
    def generate(body):
        with lock:
            given[0] += 1
            if FAULT == "repeats":
                return {"type": "generate_ok", "id": given[0]}
            return {"type": "generate_ok", "id": (int(node.id[1:]) + 1) << 100 | given[0]}


def echo():
    heard = [0]

    @node.on("echo")
    def repeat(body):
        heard[0] += 1
        return {"type": "echo_ok", "echo": "x" if heard[0] == 20 else body["echo"]}


def g_set():
    """Forgets each seventh element, and shows one that nobody added."""
    elements, heard = set(), [0]

    @node.on("add")
    def add(body):
        heard[0] += 1
        if heard[0] % 7:
            elements.add(body["element"])
            for peer in node.peers:
                node.send(peer, {"type": "told", "element": body["element"]})
        return {"type": "add_ok"}

    @node.on("told")
    def told(body):
        elements.add(body["element"])

    @node.on("read")
    def read(body):
        strange = [-1] if FAULT == "invents" else []
        return {"type": "read_ok", "value": list(elements) + strange}


def lin_kv():
    known = {}

    @node.on("read")
    def read(body):
        """Answers from memory what it has once seen."""
        if FAULT == "stale" and body["key"] in known:
            return {"type": "read_ok", "value": known[body["key"]]}
        answer = hand_on(body)
        if answer["type"] == "read_ok":
            known[body["key"]] = answer["value"]
        return answer

    @node.on("write")
    @node.on("cas")
    def hand_on(body):
        try:
            return node.call("lin-kv", body)
        except RpcError as refusal:
            return error(refusal.code, refusal.text)


WORKLOADS = {
    "counter": counter,
    "broadcast": broadcast,
    "unique-ids": unique_ids,
    "lin-kv": lin_kv,
    "echo": echo,
    "g-set": g_set,
}
WORKLOADS[WORKLOAD]()
node.run()
