#!/usr/bin/env node
'use strict';
// A counter that only grows. Each node has a slot, and only its own adds go there. All nodes gossip all slots. Of two values of a slot
// the greater one is newer.

const { Node } = require('./node.js');

const node = new Node();
const slots = new Map();
const slot = (name) => slots.get(name) ?? 0;

node.on('add', (body) => {
  slots.set(node.id, slot(node.id) + body.delta);
  return { type: 'add_ok' };
});

node.on('read', () => {
  const value = [...slots.values()].reduce((sum, value) => sum + value, 0);
  return { type: 'read_ok', value };
});

node.on('gossip', (body) => {
  for (const [name, value] of Object.entries(body.slots)) {
    slots.set(name, Math.max(value, slot(name)));
  }
});

setInterval(() => {
  for (const peer of node.peers) {
    node.send(peer, { type: 'gossip', slots: Object.fromEntries(slots) });
  }
}, 200);

node.run();
