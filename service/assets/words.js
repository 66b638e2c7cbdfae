// Numbers and names as people read them.

const el = (id) => document.getElementById(id);

// A text that stays is not written again: screen readers and the browser have less to do.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const grouped = new Intl.NumberFormat("en");
const onePlace = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const whole = (number) => grouped.format(number).replace("-", "−");

function perSecond(rate) {
  if (rate === 0) return "0";
  return (Math.abs(rate) < 99.95 ? onePlace.format(rate) : grouped.format(Math.round(rate))).replace("-", "−");
}

function duration(seconds) {
  if (seconds < 0.001) return `${onePlace.format(seconds * 1e6)} µs`;
  if (seconds < 1) return `${onePlace.format(seconds * 1e3)} ms`;
  return `${onePlace.format(seconds)} s`;
}

function age(seconds) {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3_600) % 24, (seconds / 60) % 60].map(Math.floor);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds)} s`;
}

function bytes(number) {
  if (number < 1_024) return `${number} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(number) / 10), units.length);
  return `${onePlace.format(number / 1_024 ** power)} ${units[power - 1]}`;
}

const clock = (date) => date.toLocaleTimeString("en-GB");

// A name may have characters that can't be seen, or that turn the text around. They are shown by their numbers.
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const visible = (name) => name.replace(UNSEEN, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

const plural = (number, one, many) => `${whole(number)} ${number === 1 ? one : many}`;
