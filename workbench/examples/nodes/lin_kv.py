#!/usr/bin/env python3
"""A linearizable store: hands each request on to the service lin-kv, which is one."""

from node import Node, RpcError, error

# The clients of this workload wait for a second.
node = Node(patience=0.5)


@node.on("read")
@node.on("write")
@node.on("cas")
def hand_on(body):
    try:
        answer = node.call("lin-kv", body)
    except RpcError as refusal:
        return error(refusal.code, refusal.text)
    return answer


node.run()
