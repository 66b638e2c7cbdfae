#!/usr/bin/env python3
"""A counter with one slot for each node: everybody gossips all slots, and of each the greatest counts.

It keeps nothing on disk or in a service: what only a killed node knew is lost.
"""

import threading
import time

from node import Node

INTERVAL = 0.2
node = Node()
lock = threading.Lock()
slots = {}


def add(message):
    with lock:
        slots[node.id] = slots.get(node.id, 0) + message["body"]["delta"]
    node.reply(message, {"type": "add_ok"})


def merge(message):
    with lock:
        for name, value in message["body"]["slots"].items():
            slots[name] = max(value, slots.get(name, 0))


def gossip():
    while True:
        time.sleep(INTERVAL)
        with lock:
            known = dict(slots)
        for peer in node.peers:
            node.send(peer, {"type": "gossip", "slots": known})


def read(message):
    with lock:
        value = sum(slots.values())
    node.reply(message, {"type": "read_ok", "value": value})


node.on("add", add)
node.on("gossip", merge)
node.on("read", read)
threading.Thread(target=gossip, daemon=True).start()
node.run()
