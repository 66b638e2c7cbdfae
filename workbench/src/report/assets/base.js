// The part of the run that is in view, and helpers. All times are in microseconds. What nodes sent is shown as text only.

const data = JSON.parse(document.getElementById("data").textContent);
const LEAST_VIEW = 100;
const view = { from: 0, until: data.end };
// Called when another part of the run is in view, and when another moment is chosen.
const onView = [];
const onMoment = [];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function drawing(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

// The place of the first item for which `isLater` holds. It must hold for all after it.
function placeOf(items, isLater) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isLater(items[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

const seconds = (micros, digits = 3) => `${(micros / 1e6).toFixed(digits)} s`;
const millis = (micros) => `${(micros / 1e3).toFixed(3)} ms`;
// As many digits as the part in view needs.
const digits = () => Math.min(6, Math.max(0, Math.ceil(2.5 - Math.log10((view.until - view.from) / 1e6))));
const short = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Math.round(value * 1000) / 1000));

function show(from, until) {
  const width = Math.min(data.end, Math.max(LEAST_VIEW, until - from));
  view.from = Math.max(0, Math.min(data.end - width, from));
  view.until = view.from + width;
  onView.forEach((call) => call());
}

// Zooms by a factor, about the middle.
function zoom(factor) {
  const [middle, half] = [(view.from + view.until) / 2, ((view.until - view.from) / 2) * factor];
  show(middle - half, middle + half);
}

function move(part) {
  const by = (view.until - view.from) * part;
  show(view.from + by, view.until + by);
}

// Shows the messages of that moment, below that section if there is one.
function choose(at, section) {
  onMoment.forEach((call) => call(Math.round(Math.max(0, Math.min(data.end, at))), section));
}
