'use strict';
// What every node needs: JSON lines in and out, and answers.

const readline = require('node:readline');

const NOT_SUPPORTED = 10;

class Node {
  constructor() {
    this.id = null;
    this.peers = [];
    this.handlers = new Map();
    this.on('init', (body) => {
      this.id = body.node_id;
      this.peers = body.node_ids.filter((peer) => peer !== this.id);
      return { type: 'init_ok' };
    });
  }

  // The handler gets the body of each message of that type. It returns the body of the answer, or nothing.
  on(type, handler) {
    this.handlers.set(type, handler);
  }

  send(dest, body) {
    process.stdout.write(JSON.stringify({ src: this.id, dest, body }) + '\n');
  }

  receive({ src, body }) {
    const unknown = () => ({ type: 'error', code: NOT_SUPPORTED, text: 'this node knows no such request' });
    const handler = this.handlers.get(body.type) ?? unknown;
    const answer = handler(body);
    if (answer && body.msg_id !== undefined) {
      this.send(src, { ...answer, in_reply_to: body.msg_id });
    }
  }

  run() {
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('line', (line) => this.receive(JSON.parse(line)));
    lines.on('close', () => process.exit());
  }
}

module.exports = { Node };
