#!/usr/bin/env python3
"""Gives out ids that no node has given out: 122 random bits each. The nodes need not know of each other, and may be restarted."""

import uuid

from node import Node

node = Node()


@node.on("generate")
def generate(body):
    return {"type": "generate_ok", "id": str(uuid.uuid4())}


node.run()
