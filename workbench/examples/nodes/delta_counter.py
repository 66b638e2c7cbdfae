#!/usr/bin/env python3
"""A counter that tells all others each delta until they have confirmed it, and adds what it is told.

It does not remember what it has been told: a delta that comes twice counts twice.
"""

import threading

from node import Node

node = Node()
lock = threading.Lock()
total = 0


def raise_by(delta):
    global total
    with lock:
        total += delta


def tell(peer, delta):
    while True:
        try:
            return node.call(peer, {"type": "delta", "delta": delta})
        except TimeoutError:
            pass


@node.on("add")
def add(body):
    raise_by(body["delta"])
    for peer in node.peers:
        threading.Thread(target=tell, args=(peer, body["delta"]), daemon=True).start()
    return {"type": "add_ok"}


@node.on("delta")
def take(body):
    raise_by(body["delta"])
    return {"type": "delta_ok"}


@node.on("read")
def read(body):
    return {"type": "read_ok", "value": total}


node.run()
