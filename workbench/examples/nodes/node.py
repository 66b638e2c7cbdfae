"""What every node needs: JSON lines in and out, replies, and calls of other nodes and services."""

import json
import sys
import threading

PATIENCE = 1.0


class RpcError(Exception):
    def __init__(self, code):
        super().__init__(f"error {code}")
        self.code = code


class Node:
    def __init__(self):
        self.id, self.peers = None, []
        self.handlers, self.waiting, self.next_id = {}, {}, 0
        self.lock = threading.Lock()

    def on(self, kind, handler):
        """Each message of this kind is handled in a thread of its own."""
        self.handlers[kind] = handler

    def send(self, dest, body):
        with self.lock:
            print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def reply(self, message, body):
        self.send(message["src"], {**body, "in_reply_to": message["body"]["msg_id"]})

    def call(self, dest, body):
        """Sends a request and waits for its answer; raises TimeoutError or RpcError."""
        done, answer = threading.Event(), []
        with self.lock:
            self.next_id += 1
            number = self.next_id
            self.waiting[number] = (done, answer)
        self.send(dest, {**body, "msg_id": number})
        done.wait(PATIENCE)
        with self.lock:
            self.waiting.pop(number, None)
        if not answer:
            raise TimeoutError
        if answer[0]["type"] == "error":
            raise RpcError(answer[0]["code"])
        return answer[0]

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            body = message["body"]
            with self.lock:
                done, answer = self.waiting.pop(body.get("in_reply_to"), (None, []))
            if done:
                answer.append(body)
                done.set()
            elif body["type"] == "init":
                self.id = body["node_id"]
                self.peers = [peer for peer in body["node_ids"] if peer != self.id]
                self.reply(message, {"type": "init_ok"})
            elif body["type"] in self.handlers:
                threading.Thread(target=self.handlers[body["type"]], args=(message,), daemon=True).start()
