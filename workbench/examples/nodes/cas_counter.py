#!/usr/bin/env python3
"""A counter under one key of seq-kv, raised by compare-and-set.

A write that got no answer is not tried again, since it may have happened: the client hears an indefinite error.
To read what is newest it writes something that was never there before.
"""

import uuid

from node import Node, RpcError

PRECONDITION_FAILED, ABSENT, TIMEOUT = 22, 20, 0
node = Node()


def current():
    try:
        return node.call("seq-kv", {"type": "read", "key": "sum"})["value"]
    except RpcError as error:
        if error.code == ABSENT:
            return 0
        raise


def add(message):
    delta = message["body"]["delta"]
    try:
        while delta:
            value = current()
            swap = {"type": "cas", "key": "sum", "from": value, "to": value + delta, "create_if_not_exists": True}
            try:
                node.call("seq-kv", swap)
                break
            except RpcError as error:
                if error.code not in (PRECONDITION_FAILED, ABSENT):
                    raise
        node.reply(message, {"type": "add_ok"})
    except TimeoutError:
        node.reply(message, {"type": "error", "code": TIMEOUT, "text": "seq-kv does not answer"})


def read(message):
    try:
        node.call("seq-kv", {"type": "write", "key": "fence", "value": str(uuid.uuid4())})
        node.reply(message, {"type": "read_ok", "value": current()})
    except TimeoutError:
        node.reply(message, {"type": "error", "code": TIMEOUT, "text": "seq-kv does not answer"})


node.on("add", add)
node.on("read", read)
node.run()
