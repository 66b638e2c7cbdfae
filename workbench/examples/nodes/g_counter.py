#!/usr/bin/env python3
"""A counter that only grows. Each node has a slot, and only its own adds go there. All nodes gossip all slots.

Of two values of a slot the greater one is newer. So a slot can be told any number of times, in any order. The nodes keep nothing on
disk or in a service: adds that only a killed node knew are lost.
"""

import threading

from node import Node

node = Node()
lock = threading.Lock()
slots = {}


@node.on("add")
def add(body):
    with lock:
        slots[node.id] = slots.get(node.id, 0) + body["delta"]
    return {"type": "add_ok"}


@node.on("read")
def read(body):
    with lock:
        return {"type": "read_ok", "value": sum(slots.values())}


@node.on("gossip")
def merge(body):
    with lock:
        for name, value in body["slots"].items():
            slots[name] = max(value, slots.get(name, 0))


@node.every(0.2)
def gossip():
    with lock:
        known = dict(slots)
    for peer in node.peers:
        node.send(peer, {"type": "gossip", "slots": known})


node.run()
