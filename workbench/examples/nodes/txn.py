#!/usr/bin/env python3
"""Transactions on lists or on registers: the whole database is one value in lin-kv, replaced by compare-and-set.

If another transaction came first, the value is another one, and the transaction begins anew. So each of them sees all that ended before.
"""

from node import CONFLICT, KV, Node, error

ATTEMPTS = 20
node = Node()
kv = KV(node, "lin-kv")


def apply(database, operations):
    """Returns the database after the operations, and the operations with what was read."""
    after, done = dict(database), []
    for kind, key, value in operations:
        name = str(key)
        if kind == "r":
            value = after.get(name)
        elif kind == "append":
            after[name] = after.get(name, []) + [value]
        else:
            after[name] = value
        done.append([kind, key, value])
    return after, done


@node.on("txn")
def txn(body):
    for _ in range(ATTEMPTS):
        before = kv.read("database", {})
        after, done = apply(before, body["txn"])
        if after == before or kv.swap("database", before, after):
            return {"type": "txn_ok", "txn": done}
    return error(CONFLICT, "other transactions were faster; nothing was changed")


node.run()
