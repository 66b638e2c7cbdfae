#!/usr/bin/env python3
"""Tells each new message to its neighbours, again and again until they have confirmed it.

A message that comes twice does no harm: the node keeps a set, and passes on only what is new to it.
"""

import threading

from node import Node

node = Node()
lock = threading.Lock()
messages, neighbours = set(), []


@node.on("topology")
def topology(body):
    neighbours.extend(body["topology"][node.id])
    return {"type": "topology_ok"}


@node.on("broadcast")
def broadcast(body):
    """Clients and neighbours send the same request."""
    message = body["message"]
    with lock:
        is_new = message not in messages
        messages.add(message)
    if is_new:
        for neighbour in neighbours:
            threading.Thread(target=tell, args=(neighbour, message), daemon=True).start()
    return {"type": "broadcast_ok"}


def tell(neighbour, message):
    while True:
        try:
            return node.call(neighbour, {"type": "broadcast", "message": message})
        except TimeoutError:
            pass


@node.on("read")
def read(body):
    with lock:
        return {"type": "read_ok", "messages": list(messages)}


node.run()
