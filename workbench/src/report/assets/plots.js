// Charts and the timeline: zoom, hover, and choosing a moment. A drawing has microseconds as its width, so the view is its viewBox.

const plots = [...document.querySelectorAll(".plot")].map((root) => {
  const cursor = element("div", { class: "cursor", hidden: "" });
  const chosen = element("div", { class: "chosen", hidden: "" });
  const picked = element("div", { class: "picked", hidden: "" });
  const tip = element("div", { class: "tip", role: "status", hidden: "" });
  root.append(cursor, chosen, picked, tip);
  const title = root.closest("section").querySelector("h2").textContent;
  root.setAttribute("tabindex", "0");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `${title}. Arrow keys move the cursor, Enter shows the messages of that time, plus and minus zoom, Escape shows the whole run.`);
  return { id: root.dataset.plot, root, svg: root.querySelector("svg"), xs: root.querySelector(".xs"), cursor, chosen, picked, tip };
});
const seriesOf = Object.fromEntries(data.charts.map((chart) => [chart.id, chart]));
let cursorAt = null;
let chosenAt = null;

const share = (at) => (100 * (at - view.from)) / (view.until - view.from);
const isInView = (at) => at !== null && view.from <= at && at <= view.until;

function place(line, at) {
  line.hidden = !isInView(at);
  line.style.left = `${share(at)}%`;
}

function step(span) {
  const rough = Math.max(1, span / 6);
  const base = 10 ** Math.floor(Math.log10(rough));
  return base * ([1, 2, 5].find((times) => base * times >= rough) ?? 10);
}

function drawAxis({ svg, xs }) {
  svg.setAttribute("viewBox", `${view.from} 0 ${view.until - view.from} 1000`);
  const ticks = [];
  const every = step(view.until - view.from);
  const decimals = Math.max(0, Math.ceil(6 - Math.log10(every) - 1e-9));
  for (let at = Math.ceil(view.from / every) * every; at <= view.until; at += every) {
    const tick = element("span", {}, seconds(at, Math.min(6, decimals)));
    tick.style.left = `${share(at)}%`;
    ticks.push(tick);
  }
  xs.replaceChildren(...ticks);
}

// The value of a series at that time: of a step the one that holds, else the nearest.
function valueAt({ times, values, is_steps }, at) {
  const next = placeOf(times, (time) => time > at);
  const isNearer = !is_steps && next < times.length && (next === 0 || times[next] - at < at - times[next - 1]);
  return values[isNearer ? next : next - 1] ?? null;
}

function operationAt({ root }, at, y) {
  const { lanes, operations } = data.timeline;
  const lane = Math.min(lanes.length - 1, Math.floor((y / root.clientHeight) * lanes.length));
  const slack = ((view.until - view.from) / root.clientWidth) * 5;
  const distance = ([, , , , asked, ended]) => Math.max(asked - at, at - (ended ?? data.end), 0);
  const near = operations.filter((one) => one[0] === lane && distance(one) <= slack);
  return near.sort((a, b) => distance(a) - distance(b))[0];
}

function linesOfOperation([, process, node, name, asked, ended, style, end, content]) {
  const letter = "orum"[style];
  const took = ended === null ? "" : `, ${millis(ended - asked)}`;
  return [`[${letter}] ${name} ${content}`, `process ${process}, node n${node}`, `${end}${took}`, `asked ${seconds(asked, 6)}`];
}

function linesAt(plot, at, y) {
  const lines = [seconds(at, digits() + 1)];
  const chart = seriesOf[plot.id];
  const values = (chart?.series ?? []).map((series) => [series.name, valueAt(series, at)]).filter(([, value]) => value !== null);
  values.slice(0, 12).forEach(([name, value]) => lines.push(`${name}: ${short(value)} ${chart.unit}`));
  if (values.length > 12) lines.push(`and ${values.length - 12} more`);
  const operation = plot.id === "timeline" && y !== null ? operationAt(plot, at, y) : undefined;
  if (operation !== undefined) lines.push(...linesOfOperation(operation));
  data.faults.filter(({ from, until }) => from <= at && at <= until).forEach(({ letter, detail }) => lines.push(`${letter}: ${detail}`));
  const slack = ((view.until - view.from) / plot.root.clientWidth) * 4;
  const found = data.findings.filter((one) => Math.abs(one.at - at) <= slack);
  found.slice(0, 3).forEach(({ name, text, is_remark }) => lines.push(`${is_remark ? "remark" : "violation"}: ${name}: ${text.slice(0, 200)}`));
  return lines;
}

function hover(plot, at, y) {
  cursorAt = at;
  plots.forEach((one) => {
    place(one.cursor, at);
    one.tip.hidden = one !== plot || at === null;
  });
  if (at === null) return;
  plot.tip.replaceChildren(...linesAt(plot, at, y).map((line) => element("div", {}, line)));
  const isRight = share(at) > 50;
  plot.tip.style.left = isRight ? "" : `calc(${share(at)}% + 10px)`;
  plot.tip.style.right = isRight ? `calc(${100 - share(at)}% + 10px)` : "";
}

function pointer(plot) {
  const { root, picked } = plot;
  const left = (event) => Math.max(0, Math.min(root.clientWidth, event.clientX - root.getBoundingClientRect().left - root.clientLeft));
  const timeAt = (x) => view.from + (x / root.clientWidth) * (view.until - view.from);
  let begun = null;
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = left(event);
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const x = left(event);
    hover(plot, timeAt(x), event.clientY - root.getBoundingClientRect().top);
    picked.hidden = begun === null || Math.abs(x - begun) < 5;
    picked.style.left = `${Math.min(x, begun)}px`;
    picked.style.width = `${Math.abs(x - begun)}px`;
  });
  const end = () => {
    begun = null;
    picked.hidden = true;
  };
  root.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [from, until] = [begun, left(event)].sort((a, b) => a - b).map(timeAt);
    const isClick = Math.abs(left(event) - begun) < 5;
    end();
    if (isClick) choose(nearest(until), root.closest("section"));
    else show(from, until);
  });
  root.addEventListener("pointercancel", end);
  root.addEventListener("pointerleave", () => hover(plot, null, null));
  root.addEventListener("dblclick", () => show(0, data.end));
}

// A click close to a violation means the violation.
function nearest(at) {
  const slack = ((view.until - view.from) / plots[0].root.clientWidth) * 4;
  const near = data.findings.map((one) => one.at).filter((time) => Math.abs(time - at) <= slack);
  return near.sort((a, b) => Math.abs(a - at) - Math.abs(b - at))[0] ?? at;
}

function keyboard(plot) {
  const walk = (part) => {
    const width = view.until - view.from;
    const at = (isInView(cursorAt) ? cursorAt : view.from + width / 2) + part * width;
    if (at < view.from || at > view.until) move(part * 10);
    hover(plot, Math.max(view.from, Math.min(view.until, at)), null);
  };
  const keys = {
    ArrowLeft: () => walk(-0.01),
    ArrowRight: () => walk(0.01),
    Enter: () => choose(cursorAt ?? view.from, plot.root.closest("section")),
    "+": () => zoom(0.5),
    "-": () => zoom(2),
    Escape: () => show(0, data.end),
  };
  plot.root.addEventListener("keydown", (event) => {
    if (event.target !== plot.root || event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  plot.root.addEventListener("blur", () => hover(plot, null, null));
}

plots.forEach((plot) => {
  pointer(plot);
  keyboard(plot);
});
onView.push(() => {
  plots.forEach((plot) => {
    drawAxis(plot);
    place(plot.chosen, chosenAt);
    place(plot.cursor, cursorAt);
  });
});
onMoment.push((at) => {
  chosenAt = at;
  if (!isInView(at)) show(at - (view.until - view.from) / 2, at + (view.until - view.from) / 2);
  plots.forEach((plot) => place(plot.chosen, at));
});
