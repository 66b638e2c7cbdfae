"""What every node needs: JSON lines in and out, answers, and calls of other nodes and services."""

import json
import sys
import threading
import time

TIMEOUT, NOT_SUPPORTED, ABSENT, OTHER_VALUE, CONFLICT = 0, 10, 20, 22, 30


class RpcError(Exception):
    """Another node or a service has answered with an error."""

    def __init__(self, code, text):
        super().__init__(f"error {code}: {text}")
        self.code, self.text = code, text


def error(code, text):
    """The body of an answer that is an error."""
    return {"type": "error", "code": code, "text": text}


class Node:
    def __init__(self, patience=1.0):
        """The patience is the time that a call waits for its answer, in seconds. A client must wait longer than that: an answer to a
        client that has left makes a node mute."""
        self.id, self.peers = None, []
        self.patience = patience
        self.handlers, self.waiting, self.last_id = {}, {}, 0
        self.lock = threading.Lock()

    def on(self, kind):
        """Decorates the function that handles messages of that type. It gets the body, and returns the body of the answer, or None. Each
        message is handled in a thread of its own."""

        def add(handler):
            self.handlers[kind] = handler
            return handler

        return add

    def every(self, seconds):
        """Decorates a function that is called again and again."""

        def loop(function):
            while True:
                time.sleep(seconds)
                function()

        def start(function):
            threading.Thread(target=loop, args=(function,), daemon=True).start()
            return function

        return start

    def send(self, dest, body):
        with self.lock:
            print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def call(self, dest, body):
        """Sends a request and returns the body of the answer. Raises TimeoutError or RpcError."""
        done, answer = threading.Event(), []
        with self.lock:
            self.last_id += 1
            number = self.last_id
            self.waiting[number] = (done, answer)
        self.send(dest, {**body, "msg_id": number})
        done.wait(self.patience)
        with self.lock:
            self.waiting.pop(number, None)
        if not answer:
            raise TimeoutError
        if answer[0]["type"] == "error":
            raise RpcError(answer[0]["code"], answer[0].get("text", ""))
        return answer[0]

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            body = message["body"]
            if "in_reply_to" in body:
                self.answered(body)
            elif body["type"] == "init":
                self.id = body["node_id"]
                self.peers = [peer for peer in body["node_ids"] if peer != self.id]
                self.answer(message, {"type": "init_ok"})
            else:
                threading.Thread(target=self.handle, args=(message,), daemon=True).start()

    def answered(self, body):
        """An answer that comes too late is dropped."""
        with self.lock:
            done, answer = self.waiting.pop(body["in_reply_to"], (None, []))
        if done:
            answer.append(body)
            done.set()

    def handle(self, message):
        handler = self.handlers.get(message["body"]["type"])
        if not handler:
            return self.answer(message, error(NOT_SUPPORTED, "this node knows no such request"))
        try:
            self.answer(message, handler(message["body"]))
        except TimeoutError:
            # What was asked for may have happened or not. This error says just that.
            self.answer(message, error(TIMEOUT, "another node or a service does not answer"))

    def answer(self, message, body):
        if body and "msg_id" in message["body"]:
            self.send(message["src"], {**body, "in_reply_to": message["body"]["msg_id"]})


class KV:
    """The keys and values of a service: seq-kv, lin-kv or lww-kv. Every call may raise TimeoutError. Then it may have happened."""

    def __init__(self, node, service):
        self.node, self.service = node, service

    def read(self, key, default=None):
        try:
            return self.node.call(self.service, {"type": "read", "key": key})["value"]
        except RpcError as refusal:
            if refusal.code == ABSENT:
                return default
            raise

    def write(self, key, value):
        self.node.call(self.service, {"type": "write", "key": key, "value": value})

    def swap(self, key, old, new):
        """Compare-and-set: puts the new value there if the old one is, or none. Returns whether it did."""
        try:
            self.node.call(
                self.service, {"type": "cas", "key": key, "from": old, "to": new, "create_if_not_exists": True}
            )
            return True
        except RpcError as refusal:
            if refusal.code == OTHER_VALUE:
                return False
            raise
