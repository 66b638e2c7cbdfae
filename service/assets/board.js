// The counters that the page knows, with their rates.

const MOST_KNOWN = 10_000; // counters
const RATE_OVER = 3; // seconds

class Board {
  // In the order in which they changed, the last one at the end.
  #counters = new Map();
  #listing = 0;
  // Whether the page has read all counters with this prefix. Then a new one began at 0.
  isWhole = false;

  get size() {
    return this.#counters.size;
  }

  value(name) {
    return this.#counters.get(name)?.value ?? 0n;
  }

  clear() {
    this.#counters.clear();
    this.isWhole = false;
  }

  // Changes that the node tells.
  changed(counters, now) {
    for (const { name, value: text } of counters) {
      const value = BigInt(text);
      const known = this.#counters.get(name);
      const before = known?.value ?? (this.isWhole ? 0n : value);
      // A counter at 0 was reset, which is not a rate.
      const rate = value === 0n ? 0 : rateAt(known, now) + Number(value - before) / RATE_OVER;
      this.#counters.delete(name);
      this.#counters.set(name, { name, value, rate, at: now, listing: this.#listing });
    }
    this.#forget();
  }

  beginListing() {
    this.#listing += 1;
    this.isWhole = false;
  }

  // Counters as a list has them. What they did meanwhile is not a rate.
  listed(counters) {
    for (const { name, value } of counters) {
      const known = this.#counters.get(name) ?? { name, rate: 0, at: 0 };
      this.#counters.set(name, { ...known, value: BigInt(value), listing: this.#listing });
    }
    this.#forget();
  }

  // The list is at its end, or long enough. Counters that it did not have are gone.
  endListing(isWhole) {
    this.isWhole = isWhole;
    for (const [name, { listing }] of this.#counters) {
      if (listing < this.#listing) this.#counters.delete(name);
    }
  }

  // The first counters in an order, each with its rate.
  first(most, order, now) {
    const counters = Array.from(this.#counters.values(), (counter) => ({ ...counter, rate: rateAt(counter, now) }));
    return counters.sort(ORDERS[order]).slice(0, most);
  }

  // Those that changed longest ago make room.
  #forget() {
    for (const name of this.#counters.keys()) {
      if (this.#counters.size <= MOST_KNOWN) return;
      this.#counters.delete(name);
      this.isWhole = false;
    }
  }
}

// A rate fades: each change counts less the longer ago it was. A steady stream of changes has its true rate.
function rateAt(counter, now) {
  const rate = counter === undefined ? 0 : counter.rate * Math.exp((counter.at - now) / 1_000 / RATE_OVER);
  return Math.abs(rate) < 0.05 ? 0 : rate;
}

const byName = (a, b) => (a.name < b.name ? -1 : 1);
const byValue = (a, b) => (a.value === b.value ? byName(a, b) : a.value < b.value ? 1 : -1);
const byRate = (a, b) => Math.abs(b.rate) - Math.abs(a.rate) || byValue(a, b);
const ORDERS = { name: byName, value: byValue, rate: byRate };
