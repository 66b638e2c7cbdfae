// The messages around the chosen moment: a line for each endpoint, time goes down, and each sending and each arrival has its own row.

const [BEFORE, AFTER, SHIFT] = [24, 14, 15];
const [ROW, HEAD, LEFT] = [19, 26, 96];
const panel = document.getElementById("messages");
const { names, count } = data.messages;
const messages = data.messages.messages.map(([id, src, dest, sent, received, body]) => ({ id, src, dest, sent, received, body, type: typeOf(body) }));
const shown = { at: 0, offset: 0, node: "", type: "" };

// A long body is cut short, so it is no JSON any more.
function typeOf(body) {
  const found = /"type"\s*:\s*"((?:[^"\\]|\\.){0,60})"/.exec(body);
  try {
    return String(JSON.parse(body).type ?? "?");
  } catch {
    return found?.[1] ?? "?";
  }
}

const isWanted = ({ src, dest, type }) =>
  (shown.node === "" || names[src] === shown.node || names[dest] === shown.node) && (shown.type === "" || type === shown.type);

// Up to `most` wanted messages from that place on, as far as no message is left out between them.
function walk(place, step, most) {
  const found = [];
  let last = null;
  for (let index = place; found.length < most && index >= 0 && index < messages.length; index += step) {
    const message = messages[index];
    if (last !== null && Math.abs(message.id - last) !== 1) break;
    last = message.id;
    if (isWanted(message)) found.push(message);
  }
  return found;
}

function around() {
  const middle = Math.max(0, Math.min(messages.length, placeOf(messages, ({ sent }) => sent > shown.at) + shown.offset));
  const [earlier, later] = [messages[middle - 1], messages[middle]];
  // Between the samples of a long run the nearest one is shown.
  const isGap = earlier !== undefined && later !== undefined && later.id - earlier.id > 1;
  const takesEarlier = !isGap || shown.at - earlier.sent <= later.sent - shown.at;
  const takesLater = !isGap || !takesEarlier;
  const before = takesEarlier ? walk(middle - 1, -1, BEFORE).reverse() : [];
  return [...before, ...(takesLater ? walk(middle, 1, AFTER) : [])];
}

// Marks what belongs to one message, in the diagram and in the table.
function heat(id, isHot) {
  panel.querySelectorAll(`[data-id="${id}"]`).forEach((one) => one.classList.toggle("hot", isHot));
}

function warm(made, id) {
  made.dataset.id = id;
  made.addEventListener("pointerenter", () => heat(id, true));
  made.addEventListener("pointerleave", () => heat(id, false));
  return made;
}

function rowsOf(found) {
  const rows = found.flatMap((message) => {
    const sent = { at: message.sent, order: 1, message, isSent: true };
    return message.received === null ? [sent] : [sent, { at: message.received, order: 2, message, isSent: false }];
  });
  rows.push({ at: shown.at, order: 3, message: null });
  return rows.sort((a, b) => a.at - b.at || a.order - b.order || a.message.id - b.message.id);
}

function arrow(message, x, yOf) {
  const [from, to, begin] = [x(message.src), x(message.dest), yOf(message, true)];
  const isLost = message.received === null;
  const end = isLost ? begin + ROW * 0.7 : yOf(message, false);
  const tipX = isLost ? from + (to - from) * 0.45 : to;
  const direction = to < from ? -1 : 1;
  const group = warm(drawing("g", { class: isLost ? "lost" : "got" }), message.id);
  const path = from === to ? `M${from} ${begin}C${from + 40} ${begin} ${from + 40} ${end} ${to} ${end}` : `M${from} ${begin}L${tipX} ${end}`;
  group.append(drawing("path", { class: "arrow", d: path }), drawing("circle", { class: "tip-of", cx: from, cy: begin, r: 3 }));
  const angle = from === to ? 180 : (Math.atan2(end - begin, tipX - from) * 180) / Math.PI;
  const head = isLost ? "M-5 -5L5 5M-5 5L5 -5" : "M0 0L-9 -4.5L-9 4.5z";
  group.append(drawing("path", { class: isLost ? "arrow" : "tip-of", d: head, transform: `translate(${tipX} ${end}) rotate(${angle})` }));
  const label = drawing("text", { x: from + direction * 8, y: begin - 3, "text-anchor": direction < 0 ? "end" : "start" });
  label.append(message.type.slice(0, 24) + (isLost ? " (never received)" : ""));
  group.append(label);
  return group;
}

function diagram(found) {
  const lanes = [...new Set(found.flatMap(({ src, dest }) => [src, dest]))].sort((a, b) => a - b);
  const rows = rowsOf(found);
  const gap = Math.max(56, Math.min(190, (panel.clientWidth - LEFT - 50) / lanes.length));
  const [width, height] = [LEFT + gap * lanes.length, ROW * (rows.length + 1)];
  const x = (end) => LEFT + gap / 2 + gap * lanes.indexOf(end);
  const places = new Map(rows.map((row, place) => [row.message && `${row.message.id} ${row.isSent}`, ROW * (place + 1)]));
  const yOf = (message, isSent) => places.get(`${message.id} ${isSent}`);
  const label = `${found.length} messages between ${lanes.length} endpoints. The table has the same.`;
  const svg = drawing("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const head = drawing("svg", { class: "names", width, height: HEAD, "aria-hidden": "true" });
  lanes.forEach((end) => {
    svg.append(drawing("line", { class: "lane", x1: x(end), x2: x(end), y1: 0, y2: height }));
    head.append(drawing("text", { class: "head", x: x(end), y: HEAD - 9, "text-anchor": "middle" }, names[end]));
  });
  rows.forEach(({ at, message }, place) => {
    const y = ROW * (place + 1);
    svg.append(drawing("text", { class: message === null ? "head" : "soft", x: 4, y: y + 4 }, seconds(at, 6)));
    if (message === null) svg.append(drawing("line", { class: "now", x1: LEFT, x2: width, y1: y, y2: y }));
  });
  found.forEach((message) => svg.append(arrow(message, x, yOf)));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Diagram of the messages" }, head, svg);
}

function table(found) {
  const head = element("tr", {}, ...["sent", "received", "from and to", "body"].map((text) => element("th", { scope: "col" }, text)));
  const rows = found.map((message) => {
    const took = message.received === null ? "never" : `${millis(message.received - message.sent)} later`;
    const cells = [seconds(message.sent, 6), took, `${names[message.src]} → ${names[message.dest]}`, element("code", {}, message.body)];
    return warm(element("tr", {}, ...cells.map((cell) => element("td", {}, cell))), message.id);
  });
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "The messages with their bodies" }, made);
}

function noteOf(found) {
  if (count === 0) return "The messages of this run were not kept.";
  if (found.length === 0) return "No such message is here near this moment. Choose another node or type, or step on.";
  const [first, last] = [found[0].sent, found[found.length - 1].sent];
  const isFar = shown.at < first || shown.at > last;
  const far = isFar && shown.offset === 0 && messages.length < count ? " These are the nearest that the page has: of a long run it has those around each violation, and an even sample." : "";
  return `From ${seconds(first, 6)} to ${seconds(last, 6)}, of ${count.toLocaleString("en")} messages in all. The dashed line is the moment.${far}`;
}

function selection(label, options, change) {
  const id = `select-${label.toLowerCase()}`;
  const select = element("select", { id }, element("option", { value: "" }, "all"), ...options.map((text) => element("option", { value: text }, text)));
  select.addEventListener("change", () => change(select.value));
  return element("span", {}, element("label", { for: id }, `${label} `), select);
}

const heading = panel.querySelector("h2");
const output = element("div", {});
const types = [...new Set(messages.map(({ type }) => type))].sort().slice(0, 200);
const filters = element(
  "div",
  { class: "filters" },
  selection("Node", names.slice(0, 1000), (value) => redraw({ node: value })),
  selection("Type", types, (value) => redraw({ type: value })),
  button("Earlier", () => redraw({ offset: shown.offset - SHIFT })),
  button("Later", () => redraw({ offset: shown.offset + SHIFT })),
);
heading.setAttribute("tabindex", "-1");
document.getElementById("around").replaceChildren(filters, output);

function redraw(change) {
  Object.assign(shown, change);
  const found = around();
  heading.textContent = `Messages around ${seconds(shown.at, 6)}`;
  const parts = found.length === 0 ? [] : [diagram(found), table(found)];
  output.replaceChildren(element("p", { class: "note", role: "status" }, noteOf(found)), ...parts);
  const scroller = output.querySelector(".scroll");
  const now = output.querySelector(".now");
  if (scroller !== null) scroller.scrollTop = Number(now.getAttribute("y1")) - scroller.clientHeight / 2;
}

onMoment.push((at, section) => {
  panel.hidden = false;
  section?.after(panel);
  redraw({ at, offset: 0 });
  if (section === undefined) return;
  heading.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
});
