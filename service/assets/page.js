// The page: what it shows, and what its buttons do.

const MOST_LISTED = 1_000; // counters in an answer
const EVERY = 1_000; // ms

const board = new Board();
const figures = new Figures();
const table = new Table(board, (what, name) => (what === "add" ? add(name, 1n) : reset(name)));
const api = new Api(ask);

// The connection.

let link = new AbortController();
let lostSince = null;
let problem = null;
let status = null;
let cluster = null;

async function stayConnected() {
  for (let tries = 0; ; tries += 1) {
    link = new AbortController();
    const { signal } = link;
    try {
      await follow(link, () => {
        [tries, lostSince, problem] = [0, null, null];
        showState();
      });
      problem = null;
    } catch (error) {
      problem = error instanceof Problem ? error : Problem.lost();
    }
    if (signal.reason === "again") {
      tries = -1;
      continue;
    }
    lostSince ??= new Date();
    showState();
    await wakeOr(backoff(tries));
  }
}

// The first event is a page of counters. The pages behind it are read while the changes come in: so no change is missed.
async function follow(own, isWhole) {
  const which = `prefix=${encodeURIComponent(el("prefix").value.toWellFormed())}&limit=${MOST_LISTED}&numbers=string`;
  let [isFirst, failure] = [true, null];
  for await (const { counters, next } of api.events(`/v1/watch?${which}`, own.signal)) {
    if (!isFirst) {
      board.changed(counters, performance.now());
      continue;
    }
    isFirst = false;
    board.beginListing();
    board.listed(counters);
    listRest(which, next, own.signal).then(isWhole, (error) => {
      failure = error;
      own.abort("lost");
    });
  }
  if (failure !== null) throw failure;
}

async function listRest(which, first, signal) {
  let next = first;
  for (let listed = MOST_LISTED; next !== null && listed < MOST_KNOWN; listed += MOST_LISTED) {
    const page = await api.json(`/v1/counters?${which}&after=${encodeURIComponent(next)}`, { signal });
    signal.throwIfAborted();
    board.listed(page.counters);
    next = page.next;
  }
  board.endListing(next === null);
}

let wake = () => {};
const wakeOr = (ms) => Promise.race([pause(ms), new Promise((done) => (wake = done))]);

function connectAgain() {
  link.abort("again");
  wake();
}

async function lookAtStatus() {
  for (;;) {
    const before = performance.now();
    try {
      status = await api.json("/v1/status");
      const now = performance.now();
      figures.show(status, (now - before) / 1_000, now);
      // A node that is alone stays alone.
      if (cluster === null || cluster.cluster !== null) cluster = await api.json("/v1/cluster");
      figures.showCluster(cluster);
    } catch (error) {
      [status, cluster] = [null, null];
      figures.miss();
      if (!(error instanceof Problem) || error.isLost) link.abort("lost");
    }
    showState();
    await pause(EVERY);
  }
}

function showState() {
  let [kind, text] = ["wait", "Connecting"];
  if (lostSince !== null) {
    const isLost = problem === null || problem.isLost;
    const since = `since ${clock(lostSince)}`;
    [kind, text] = ["bad", isLost ? `Disconnected ${since}` : `Not live ${since}: ${problem.message}`];
  } else if (status !== null && !status.ready) {
    [kind, text] = ["warn", `Not ready: ${status.reason}`];
  } else if (cluster?.namesake) {
    [kind, text] = ["bad", `Another process runs under the name ${cluster.node}: end one of them`];
  } else if (status !== null) {
    [kind, text] = ["good", "Ready, live"];
  }
  el("state").dataset.kind = kind;
  setText(el("state"), text);
  el("forget-token").hidden = !api.hasToken && problem?.status !== 401;
  setText(el("forget-token"), api.hasToken ? "Forget the token" : "Enter a token");
}

// What happened.

let outcomeTimer = 0;

function tell(text, { kind = "good", again = null } = {}) {
  clearTimeout(outcomeTimer);
  el("outcome").dataset.kind = kind;
  setText(el("outcome-text"), text);
  // A text that is the same as before is said again.
  el("said").textContent = "";
  el("warned").textContent = "";
  el(kind === "bad" ? "warned" : "said").textContent = text;
  el("outcome-again").hidden = again === null;
  el("outcome-again").onclick = again;
  el("outcome").hidden = false;
  if (kind === "good") outcomeTimer = setTimeout(closeOutcome, 8_000);
}

function closeOutcome() {
  const hadFocus = el("outcome").contains(document.activeElement);
  el("outcome").hidden = true;
  if (hadFocus) el("counters").focus();
}

// Sends a change. What failed can be tried again with the same key, and counts once.
async function send(change, what, done) {
  try {
    const answer = await api.change(change, () => tell(`${what}: no answer yet. It is sent again, and counts once.`, { kind: "warn" }));
    tell(done(answer));
    return true;
  } catch (error) {
    const { message, counted = "maybe" } = error;
    const again = counted === "maybe" ? () => send(change, what, done) : null;
    const once = again === null ? "" : " Try again: it counts once.";
    tell(`${what}: ${message}. Counted: ${counted}.${once}`, { kind: "bad", again });
    return false;
  }
}

function add(name, delta) {
  const what = delta < 0n ? `Subtract ${whole(-delta)} from “${visible(name)}”` : `Add ${whole(delta)} to “${visible(name)}”`;
  return send(addTo(name, delta), what, ({ value, replayed }) => {
    const twice = replayed ? " It was counted the first time." : "";
    return `${what}: done. The value is ${whole(BigInt(value))}.${twice}`;
  });
}

async function reset(name) {
  const dialog = el("reset");
  setText(el("reset-name"), visible(name));
  const showValue = () => setText(el("reset-value"), whole(board.value(name)));
  showValue();
  const timer = setInterval(showValue, EVERY / 4);
  const choice = await open(dialog);
  clearInterval(timer);
  if (choice !== "reset") return;
  const what = `Reset “${visible(name)}”`;
  await send(resetOf(name), what, ({ value }) => `${what}: done. It subtracted ${whole(BigInt(value))}.`);
}

// Opens a dialog. Resolves to the value of the button that closes it.
function open(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue), { once: true }));
}

async function ask(wasRefused) {
  setText(el("ask-title"), wasRefused ? "The node refuses the token" : "This node wants a token");
  const choice = await open(el("ask"));
  const token = el("ask-token").value.trim();
  el("ask-token").value = "";
  return choice === "use" && token !== "" ? token : null;
}

// Forms and buttons.

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

// The delta that a text says, or null.
function deltaOf(text) {
  const plain = text.trim().replace("−", "-").replace(/^\+/, "").replaceAll(/[ ,_]/g, "");
  if (!/^-?\d{1,19}$/.test(plain)) return null;
  const delta = BigInt(plain);
  return delta >= LEAST && delta <= MOST ? delta : null;
}

// Says below a field what is wrong with it.
function complain(field, wrong) {
  const note = el(`${field.id}-note`);
  note.dataset.usual ??= note.textContent;
  setText(note, wrong ?? note.dataset.usual);
  note.dataset.kind = wrong === null ? "" : "bad";
  field.setAttribute("aria-invalid", String(wrong !== null));
  if (wrong !== null) field.focus();
}

el("add-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [name, delta] = [el("add-name").value.toWellFormed(), deltaOf(el("add-delta").value)];
  complain(el("add-delta"), delta === null ? "Write a whole number between −2⁶³ and 2⁶³ − 1, such as 3 or −3." : null);
  complain(el("add-name"), name === "" ? "Write the name of a counter." : null);
  if (name !== "" && delta !== null) add(name, delta);
});

let typing = 0;
el("prefix").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    board.clear();
    connectAgain();
  }, 200);
});

el("outcome-close").addEventListener("click", closeOutcome);

el("forget-token").addEventListener("click", () => {
  api.token = null;
  board.clear();
  connectAgain();
});

const themes = ["auto", "light", "dark"];
const keptTheme = kept("localStorage", "counterd-theme");

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  setText(el("theme"), `Theme: ${theme}`);
}
setTheme(themes.find((theme) => theme === keptTheme.get()) ?? "auto");
el("theme").addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
  keptTheme.set(next);
  setTheme(next);
});

setInterval(() => table.show(performance.now()), EVERY / 4);
stayConnected();
lookAtStatus();
