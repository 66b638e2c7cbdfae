// The figures of the node, and the chart.

const CHARTED = 300; // seconds
const LATENCIES = 9; // requests

// What a change that is not stored means, and when one is acknowledged: by how safe an acknowledged change is.
const UNSTORED = {
  stored: "Changes that wait for the disk. Their clients wait too: a crash now loses nothing that was answered.",
  memory: "Changes that were answered, and are not on disk yet. A crash now loses them.",
};
const ACKNOWLEDGED = { stored: "once it is on disk", memory: "from memory, before it is stored" };

class Figures {
  #before = null;
  #latencies = [];
  #rates = [];

  // What the node says of itself, and how long it took to say it.
  show(status, seconds, now) {
    const { commits, requests } = status;
    const before = this.#before;
    const changes = commits.changes + status.unstored;
    this.#before = { now, changes, commits };
    const isSame = before !== null && changes >= before.changes && commits.count >= before.commits.count;
    this.#chart(isSame ? ((changes - before.changes) * 1_000) / (now - before.now) : null);
    this.#latencies = [...this.#latencies, seconds].slice(-LATENCIES);

    setText(el("node"), status.node);
    document.title = `${status.node} · counterd`;
    setText(el("unstored"), whole(status.unstored));
    setText(el("unstored-note"), UNSTORED[status.durability] ?? "");
    el("unstored-box").dataset.kind = status.unstored === 0 ? "good" : status.durability === "memory" ? "warn" : "busy";
    const figures = {
      ack: `${ACKNOWLEDGED[status.durability] ?? status.durability} (${status.ack})`,
      commit: commits.count === 0 ? "–" : duration(recent(before?.commits, commits)),
      request: duration(median(this.#latencies)),
      commits: `${whole(commits.count)}, ${whole(commits.syncs)}`,
      done: whole(requests.done),
      others: [requests.replayed, requests.refused, requests.uncertain].map(whole).join(", "),
      keys: whole(status.keys),
      count: whole(status.counters),
      database: `${bytes(status.database_bytes)}, ${bytes(status.unfolded_bytes)} to fold`,
      uptime: age(status.uptime_seconds),
      version: status.version,
    };
    for (const [id, text] of Object.entries(figures)) setText(el(id), text);
  }

  // What the node says of its cluster.
  showCluster({ cluster, members, at_risk: atRisk }) {
    el("cluster").hidden = cluster === null;
    if (cluster === null) return;
    const lags = members.map(({ lag }) => lag ?? 0);
    setText(el("cluster-name"), cluster);
    setText(el("members"), inWords(members));
    setText(el("lag"), plural(Math.max(0, ...lags), "change", "changes"));
    setText(el("at-risk"), plural(atRisk, "change", "changes"));
  }

  // The node does not answer.
  miss() {
    this.#before = null;
    this.#chart(null);
    setText(el("changes"), "–");
    setText(el("unstored"), "?");
    setText(el("unstored-note"), "The node does not answer.");
    el("unstored-box").dataset.kind = "warn";
  }

  #chart(rate) {
    this.#rates = [...this.#rates, rate].slice(-CHARTED);
    const known = this.#rates.filter((one) => one !== null);
    if (rate !== null) setText(el("changes"), whole(Math.round(rate)));
    const most = ceiling(Math.max(...known, 1));
    const { line, area } = paths(this.#rates, most);
    el("chart-line").setAttribute("d", line);
    el("chart-area").setAttribute("d", area);
    setText(el("chart-most"), `${whole(most)} a second`);
    if (known.length > 0) {
      const [last, least, highest] = [known.at(-1), Math.min(...known), Math.max(...known)].map((one) => whole(Math.round(one)));
      const text = `Changes a second over the last 5 minutes: now ${last}, at least ${least}, at most ${highest}`;
      el("chart").setAttribute("aria-label", text);
    }
  }
}

// The other nodes: how many are alive, and the names of those that are not. A forgotten one is none of them.
function inWords(members) {
  const alive = members.filter(({ state }) => state === "alive").length;
  const gone = members.filter(({ state }) => state === "silent" || state === "left");
  const names = gone.map(({ node, state, heard_ms: heard }) => {
    if (state === "left") return `${node} has ended`;
    return heard === null ? `${node} was not heard` : `${node} is silent for ${age(heard / 1_000)}`;
  });
  return [`${whole(alive)} alive`, ...names].join("; ");
}

// The mean of the commits since the last look; of all, if there was none since.
function recent(before, now) {
  const count = now.count - (before?.count ?? 0);
  if (before === undefined || count <= 0) return now.seconds / now.count;
  return (now.seconds - before.seconds) / count;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// The next of 1, 2, 3, 4, 6, 8, 10, 20 ...
function ceiling(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 3, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= number);
}

// The last second is at the right. A second without a figure is a gap.
function paths(rates, most) {
  let [line, area, from] = ["", "", null];
  rates.concat(null).forEach((rate, place) => {
    const x = CHARTED - rates.length + place + 1;
    if (rate === null) {
      if (from !== null) area += `L${x - 1} 100L${from} 100Z`;
      from = null;
      return;
    }
    const y = (100 - (rate / most) * 100).toFixed(1);
    area += from === null ? `M${x} 100L${x} ${y}` : `L${x} ${y}`;
    line += `${from === null ? "M" : "L"}${x} ${y}`;
    from ??= x;
  });
  return { line, area };
}
