#!/usr/bin/env python3
"""A counter that goes up and down: two counters that only grow, one of all that was added and one of all that was subtracted."""

import threading

from node import Node

node = Node()
lock = threading.Lock()
up, down = {}, {}


@node.on("add")
def add(body):
    delta = body["delta"]
    slots = up if delta > 0 else down
    with lock:
        slots[node.id] = slots.get(node.id, 0) + abs(delta)
    return {"type": "add_ok"}


@node.on("read")
def read(body):
    with lock:
        return {"type": "read_ok", "value": sum(up.values()) - sum(down.values())}


@node.on("gossip")
def merge(body):
    with lock:
        for slots, told in (up, body["up"]), (down, body["down"]):
            for name, value in told.items():
                slots[name] = max(value, slots.get(name, 0))


@node.every(0.2)
def gossip():
    with lock:
        known = {"type": "gossip", "up": dict(up), "down": dict(down)}
    for peer in node.peers:
        node.send(peer, known)


node.run()
