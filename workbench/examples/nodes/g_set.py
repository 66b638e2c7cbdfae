#!/usr/bin/env python3
"""A set that only grows: each node sends its elements to all others, again and again. The union of two sets loses nothing."""

import threading

from node import Node

node = Node()
lock = threading.Lock()
elements = set()


def known():
    with lock:
        return list(elements)


@node.on("add")
def add(body):
    with lock:
        elements.add(body["element"])
    return {"type": "add_ok"}


@node.on("read")
def read(body):
    return {"type": "read_ok", "value": known()}


@node.on("gossip")
def merge(body):
    with lock:
        elements.update(body["elements"])


@node.every(0.2)
def gossip():
    for peer in node.peers:
        node.send(peer, {"type": "gossip", "elements": known()})


node.run()
