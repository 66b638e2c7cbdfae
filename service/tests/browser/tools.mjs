// What the checks need: a browser, a proxy that can fail, and a client of the node.

import net from "node:net";
import path from "node:path";
import { createRequire } from "node:module";

// The packages stand outside of the repository, in the directory that COUNTERD_TEST_TOOLS names.
export const tool = createRequire(path.join(process.env.COUNTERD_TEST_TOOLS, "/"));

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const launch = (executablePath) => tool("playwright-core").chromium.launch({ executablePath, args: FLAGS });

// Asks the node itself, without the page.
export function client(url, secret) {
  const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const call = async (path, body) => {
    const headers = { ...authorization, "content-type": "application/json" };
    const method = body === undefined ? "GET" : "POST";
    const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  const counter = (name) => `/v1/counters/${encodeURIComponent(name)}`;
  return {
    add: (name, delta) => call(`${counter(name)}/add`, { delta }),
    batch: (adds) => call("/v1/batch", { adds }),
    value: async (name) => (await call(counter(name))).value,
  };
}

// Stands between the browser and the node, and can cut them off.
export async function startProxy(url) {
  const { hostname, port } = new URL(url);
  const pairs = new Set();
  let [isCut, losesAnswer] = [false, false];
  const server = net.createServer((near) => {
    if (isCut) return near.destroy();
    const far = net.connect(Number(port), hostname);
    const pair = [near, far];
    const end = () => {
      pair.forEach((socket) => socket.destroy());
      pairs.delete(pair);
    };
    pairs.add(pair);
    pair.forEach((socket) => socket.on("error", end).on("close", end));
    let isDoomed = false;
    near.on("data", (data) => {
      if (losesAnswer && data.subarray(0, 5).toString() === "POST ") [losesAnswer, isDoomed] = [false, true];
      far.write(data);
    });
    far.on("data", (data) => (isDoomed ? end() : near.write(data)));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    cut() {
      isCut = true;
      pairs.forEach(([near]) => near.destroy());
    },
    heal: () => (isCut = false),
    loseNextAnswer: () => (losesAnswer = true),
    hasLostIt: () => !losesAnswer,
  };
}

// Waits until a condition holds, with a bound.
export async function until(what, holds, within = 60_000) {
  const end = Date.now() + within;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it did not come to this: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export function assert(holds, what) {
  if (!holds) throw new Error(what);
}

export function assertEqual(found, expected, what) {
  assert(found === expected, `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}
