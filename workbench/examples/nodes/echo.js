#!/usr/bin/env node
'use strict';
// Answers with the content of the request.

const { Node } = require('./node.js');

const node = new Node();
node.on('echo', (body) => ({ type: 'echo_ok', echo: body.echo }));
node.run();
