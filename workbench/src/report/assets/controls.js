// The controls on top, the times of the findings, and the colours.

function field(label, read, write) {
  const input = element("input", { type: "number", step: "any", min: "0" });
  input.addEventListener("change", () => {
    if (input.value.trim() !== "" && Number.isFinite(input.valueAsNumber)) write(input.valueAsNumber * 1e6);
    refresh();
  });
  const refresh = () => (input.value = read());
  return { root: element("label", {}, `${label} `, input), refresh };
}

const exact = (micros) => String(Math.round(micros) / 1e6);
const fields = [
  field("From, s", () => exact(view.from), (from) => show(from, Math.max(view.until, from + LEAST_VIEW))),
  field("to, s", () => exact(view.until), (until) => show(Math.min(view.from, until - LEAST_VIEW), until)),
  field("Messages at, s", () => (chosenAt === null ? "" : exact(chosenAt)), (at) => choose(at, panel.previousElementSibling)),
];
const refresh = () => fields.forEach((one) => one.refresh());
onView.push(refresh);
onMoment.push(refresh);

const THEMES = ["auto", "light", "dark"];
// A page from a file may have no storage.
const stored = {
  get: () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  },
  set: (theme) => {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Then it is forgotten.
    }
  },
};
const theme = button("", () => paint(THEMES[(THEMES.indexOf(theme.dataset.theme) + 1) % THEMES.length]), { class: "end" });
function paint(name) {
  theme.dataset.theme = name;
  theme.textContent = `Theme: ${name}`;
  document.documentElement.dataset.theme = name;
  stored.set(name);
}
paint(THEMES.find((name) => name === stored.get()) ?? "auto");

const controls = element("div", { class: "bar-of-controls", role: "group", "aria-label": "Time in view" });
controls.append(
  fields[0].root,
  fields[1].root,
  button("−", () => zoom(2), { "aria-label": "Zoom out" }),
  button("+", () => zoom(0.5), { "aria-label": "Zoom in" }),
  button("◀", () => move(-0.5), { "aria-label": "Earlier part" }),
  button("▶", () => move(0.5), { "aria-label": "Later part" }),
  button("Whole run", () => show(0, data.end)),
  fields[2].root,
  theme,
);
document.getElementById("top").append(controls);

document.querySelectorAll(".at").forEach((time) => {
  const [at, section] = [Number(time.dataset.at), time.closest("section")];
  time.replaceWith(button(time.textContent, () => choose(at, section), { class: "at", title: "Show the messages around it" }));
});
show(0, data.end);
if (panel.dataset.first !== undefined) choose(Number(panel.dataset.first));
