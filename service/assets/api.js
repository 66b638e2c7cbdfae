// The node: requests, its problems in words, changes that count once, and the stream of changes.

const MOST_EVENT = 8_000_000; // characters
const SILENT_AFTER = 60_000; // ms without a byte of the stream, which has a comment now and then

// What the browser keeps. It may forbid that: then the page forgets, and works all the same.
const kept = (where, name) => ({
  get() {
    try {
      return window[where].getItem(name);
    } catch {
      return null;
    }
  },
  set(value) {
    try {
      if (value === null) window[where].removeItem(name);
      else window[where].setItem(name, value);
    } catch {
      // Forbidden.
    }
  },
});

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Half a second, then twice as long each time, up to 8 s. Pages that were cut off together come back one by one.
const backoff = (tries) => Math.min(500 * 2 ** tries, 8_000) * (0.75 + Math.random() / 4);

// A request that was not done, in words. `counted` says whether its change counts.
class Problem extends Error {
  constructor(words, { status = 0, counted = "no", isLost = false } = {}) {
    super(words);
    Object.assign(this, { status, counted, isLost });
  }

  static async of(response) {
    const { status } = response;
    const type = response.headers.get("content-type") ?? "";
    const document = type.startsWith("application/problem+json") ? await response.json().catch(() => null) : null;
    if (document === null) {
      return new Problem(`something on the way answered ${status}`, { status, counted: "maybe" });
    }
    return new Problem(document.detail || document.title, { status, counted: document.counted });
  }

  static lost() {
    return new Problem("the node does not answer", { counted: "maybe", isLost: true });
  }
}

// Requests with the token of this tab, if the node wants one. `ask` resolves to a token, or to null if there is none.
class Api {
  #kept = kept("sessionStorage", "counterd-token");
  #token = this.#kept.get();
  #asking = null;
  #isDeclined = false;
  #ask;

  constructor(ask) {
    this.#ask = ask;
  }

  get hasToken() {
    return this.#token !== null;
  }

  // Takes another token. Null: asks when the node wants one.
  set token(token) {
    this.#token = token;
    this.#isDeclined = false;
    this.#kept.set(token);
  }

  // Several requests may find at once that the token is missing. The user is asked once.
  async #another(refused) {
    if (this.#token !== refused) return;
    if (!this.#isDeclined) {
      this.#asking ??= this.#ask(refused !== null);
      this.token = await this.#asking;
      this.#asking = null;
      this.#isDeclined = this.#token === null;
    }
    if (this.#isDeclined) throw new Problem("the node wants a token", { status: 401 });
  }

  // Does a request. Throws a Problem. Without `within` it takes as long as it likes.
  async request(path, { method = "GET", body, key, signal, within } = {}) {
    for (;;) {
      const token = this.#token;
      const headers = { Accept: "*/*" };
      if (token !== null) headers.Authorization = `Bearer ${token}`;
      if (body !== undefined) headers["Content-Type"] = "application/json";
      if (key !== undefined) headers["Idempotency-Key"] = key;
      const signals = [signal, within && AbortSignal.timeout(within)].filter(Boolean);
      // Without credentials the browser asks for no password of its own.
      const how = { method, headers, body, credentials: "omit", cache: "no-store", redirect: "error" };
      const response = await fetch(path, { ...how, signal: AbortSignal.any(signals) }).catch(() => {
        throw Problem.lost();
      });
      if (response.ok) return response;
      const problem = await Problem.of(response);
      if (response.status !== 401) throw problem;
      await this.#another(token);
    }
  }

  async json(path, options = {}) {
    const response = await this.request(path, { within: 5_000, ...options });
    return response.json().catch(() => {
      throw Problem.lost();
    });
  }

  // Sends a change until it is answered, always with its one key: so it counts once.
  async change({ path, body, key }, isWaiting) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.json(path, { method: "POST", body, key, within: 10_000 });
      } catch (problem) {
        // The first try may still be under way when the second one comes: that is a conflict, and passes.
        const mayPass = problem.isLost || (tries > 0 && problem.status === 409);
        if (!mayPass || tries === 5) throw problem;
      }
      isWaiting();
      await pause(backoff(tries));
    }
  }

  // Follows a stream of events: yields the data of each, parsed, until the node ends it or the signal aborts it.
  async *events(path, signal) {
    const silent = new AbortController();
    const response = await this.request(path, { signal: AbortSignal.any([signal, silent.signal]) });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const timer = setTimeout(() => silent.abort(), SILENT_AFTER);
      const { done, value } = await reader.read().catch(() => ({ done: true }));
      clearTimeout(timer);
      if (done) return;
      const parts = (text + value).split(/\r?\n\r?\n/);
      text = parts.pop();
      if (text.length > MOST_EVENT) return;
      for (const part of parts) {
        const lines = part.split(/\r?\n/).filter((line) => line.startsWith("data:"));
        if (lines.length > 0) yield JSON.parse(lines.map((line) => line.slice(5)).join("\n"));
      }
    }
  }
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const addTo = (name, delta) => ({
  path: `/v1/counters/${encodeURIComponent(name)}/add?numbers=string`,
  body: `{"delta":${delta}}`,
  key: newKey(),
});

const resetOf = (name) => ({
  path: `/v1/counters/${encodeURIComponent(name)}/reset?numbers=string`,
  body: "{}",
  key: newKey(),
});
