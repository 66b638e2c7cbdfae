#!/usr/bin/env python3
"""Answers with the content of the request."""

from node import Node

node = Node()


@node.on("echo")
def echo(body):
    return {"type": "echo_ok", "echo": body["echo"]}


node.run()
