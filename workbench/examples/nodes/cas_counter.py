#!/usr/bin/env python3
"""A counter under one key of seq-kv, raised by compare-and-set.

A write that got no answer is not tried again, since it may have happened: the client hears an indefinite error.
To read what is newest it writes something that was never there before.
"""

import uuid

from node import KV, Node

node = Node()
kv = KV(node, "seq-kv")


@node.on("add")
def add(body):
    delta = body["delta"]
    while delta:
        value = kv.read("sum", 0)
        if kv.swap("sum", value, value + delta):
            break
    return {"type": "add_ok"}


@node.on("read")
def read(body):
    kv.write("fence", str(uuid.uuid4()))
    return {"type": "read_ok", "value": kv.read("sum", 0)}


node.run()
