// The table of counters.

const MOST_SHOWN = 100; // counters
const HELD_FOR = 5_000; // ms after the pointer has moved over the rows

class Table {
  #board;
  #rows = new Map();
  #order = "rate";
  #pointed = -Infinity;
  #act;

  // `act` is called with what a button of a row does ("add" or "reset"), the counter's name, and the button.
  constructor(board, act) {
    this.#board = board;
    this.#act = act;
    const moved = () => (this.#pointed = performance.now());
    el("rows").addEventListener("pointermove", moved);
    el("rows").addEventListener("pointerdown", moved);
    el("rows").addEventListener("pointerleave", () => (this.#pointed = -Infinity));
    for (const button of document.querySelectorAll("[data-order]")) {
      button.addEventListener("click", () => this.#sort(button));
    }
  }

  #sort(button) {
    this.#order = button.dataset.order;
    for (const heading of document.querySelectorAll("thead [aria-sort]")) heading.setAttribute("aria-sort", "none");
    button.parentElement.setAttribute("aria-sort", this.#order === "name" ? "ascending" : "descending");
    this.show(performance.now());
  }

  // Rows hold still while somebody is about to press one of their buttons.
  #isHeld(now) {
    return el("rows").querySelector(":focus-visible") !== null || now - this.#pointed < HELD_FOR;
  }

  show(now) {
    const isHeld = this.#isHeld(now);
    let counters = this.#board.first(isHeld ? MOST_KNOWN : MOST_SHOWN, this.#order, now);
    if (isHeld) counters = this.#held(counters);
    const most = Math.max(...counters.map(({ rate }) => Math.abs(rate)), 1);
    const rows = counters.map((counter) => this.#row(counter, most));
    const names = new Set(counters.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (!names.has(name)) {
        row.remove();
        this.#rows.delete(name);
      }
    }
    place(el("rows"), rows);
    this.#note(counters.length);
  }

  // The rows as they stand. Counters that are new wait, unless there is room behind the last one.
  #held(counters) {
    const byName = new Map(counters.map((counter) => [counter.name, counter]));
    const standing = Array.from(this.#rows.keys()).map((name) => byName.get(name)).filter(Boolean);
    standing.sort((a, b) => position(this.#rows.get(a.name)) - position(this.#rows.get(b.name)));
    const others = counters.filter(({ name }) => !this.#rows.has(name));
    return standing.concat(others).slice(0, Math.max(MOST_SHOWN, standing.length));
  }

  #row({ name, value, rate }, most) {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = newRow(name, this.#act);
      this.#rows.set(name, row);
    }
    const [, valueCell, rateCell] = row.cells;
    setText(valueCell, whole(value));
    setText(rateCell, perSecond(rate));
    rateCell.classList.toggle("moves", rate !== 0);
    rateCell.style.setProperty("--share", (Math.abs(rate) / most).toFixed(3));
    return row;
  }

  #note(shown) {
    const prefix = el("prefix").value;
    const known = whole(this.#board.size);
    const order = { rate: "by rate", value: "by value", name: "by name" }[this.#order];
    const named = (verb) => (prefix === "" ? "" : ` that ${verb} with “${visible(prefix)}”`);
    let text = `${known} counters${named("begin")}, ${order}.`;
    if (this.#board.size === 1) text = `1 counter${named("begins")}.`;
    if (shown < this.#board.size) text = `The first ${shown} of ${known} counters${named("begin")}, ${order}.`;
    if (shown === 0) text = prefix === "" ? "No counter yet. Add to one, and it is there." : `No counter${named("begins")}.`;
    if (!this.#board.isWhole && this.#board.size >= MOST_KNOWN) {
      text += ` The page looks at ${whole(MOST_KNOWN)} at a time: search to see others.`;
    }
    setText(el("shown"), text);
  }
}

const position = (row) => row.sectionRowIndex;

function newRow(name, act) {
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  const heading = document.createElement("th");
  heading.scope = "row";
  heading.setAttribute("role", "rowheader");
  const text = document.createElement("bdi");
  text.textContent = visible(name);
  heading.append(text);
  const cells = ["value", "rate", "acts"].map((kind) => {
    const cell = document.createElement("td");
    cell.className = kind;
    cell.setAttribute("role", "cell");
    return cell;
  });
  const [, , acts] = cells;
  acts.append(rowButton("+1", `Add 1 to ${visible(name)}`, "add", name, act));
  acts.append(rowButton("Reset", `Reset ${visible(name)}`, "reset", name, act));
  row.append(heading, ...cells);
  return row;
}

function rowButton(text, label, what, name, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", () => act(what, name));
  return button;
}

// Puts rows into an order. The row with the focus is not moved, the others go round it: a row that moves loses the focus.
function place(body, rows) {
  let at = body.firstChild;
  for (const row of rows) {
    if (row === at || row.contains(document.activeElement)) at = row.nextSibling;
    else body.insertBefore(row, at);
  }
}
