#!/usr/bin/env python3
"""A counter that tells all others each delta until they have got it, and adds what it is told.

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
            node.call(peer, {"type": "delta", "delta": delta})
            return
        except TimeoutError:
            pass


def add(message):
    delta = message["body"]["delta"]
    raise_by(delta)
    for peer in node.peers:
        threading.Thread(target=tell, args=(peer, delta), daemon=True).start()
    node.reply(message, {"type": "add_ok"})


def take(message):
    raise_by(message["body"]["delta"])
    node.reply(message, {"type": "delta_ok"})


node.on("add", add)
node.on("delta", take)
node.on("read", lambda message: node.reply(message, {"type": "read_ok", "value": total}))
node.run()
