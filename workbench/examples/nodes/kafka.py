#!/usr/bin/env python3
"""Logs in lin-kv. Each message has a key of its own there: k1/0, k1/1 and so on.

A node appends by putting its message under the first key that is free. So an offset has one message, and there are no gaps.
"""

from node import KV, Node

BATCH = 20
node = Node()
kv = KV(node, "lin-kv")
# For each log an offset below which all are in use. A hint: without it each search would begin at 0.
used = {}


@node.on("send")
def send(body):
    key, offset = body["key"], used.get(body["key"], 0)
    while not kv.swap(f"{key}/{offset}", None, body["msg"]):
        offset += 1
    used[key] = offset + 1
    return {"type": "send_ok", "offset": offset}


@node.on("poll")
def poll(body):
    return {"type": "poll_ok", "msgs": {key: batch(key, offset) for key, offset in body["offsets"].items()}}


def batch(key, offset):
    messages = []
    while len(messages) < BATCH and (message := kv.read(f"{key}/{offset}")) is not None:
        messages.append([offset, message])
        offset += 1
    return messages


@node.on("commit_offsets")
def commit(body):
    """A commit never goes back."""
    for key, offset in body["offsets"].items():
        while (committed := kv.read(f"{key}/committed", -1)) < offset:
            if kv.swap(f"{key}/committed", committed, offset):
                break
    return {"type": "commit_offsets_ok"}


@node.on("list_committed_offsets")
def list_committed(body):
    committed = {key: kv.read(f"{key}/committed") for key in body["keys"]}
    known = {key: offset for key, offset in committed.items() if offset is not None}
    return {"type": "list_committed_offsets_ok", "offsets": known}


node.run()
