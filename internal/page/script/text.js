// How numbers, times and the names of others read. Nothing here touches the page.

const byThousands = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", minimumFractionDigits: 2, maximumFractionDigits: 2 });
const NONE = "–";

// count writes a whole number: 1,234,567, and 12.35M where that is too long.
function count(n) {
  if (!Number.isFinite(n)) return NONE;
  return Math.abs(n) < 1e7 ? byThousands.format(Math.round(n)) : compact.format(n);
}

// rate writes how often something happens each second; what is rare keeps a decimal.
function rate(n) {
  if (!Number.isFinite(n)) return NONE;
  return n > 0 && n < 9.95 ? Math.max(n, 0.1).toFixed(1) : count(n);
}

// millis writes milliseconds: 0.85 ms, 8.5 ms, 85 ms, 1.2 s.
function millis(ms) {
  if (!Number.isFinite(ms)) return NONE;
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : span(ms / 1000);
}

// span writes seconds with the two largest units that matter.
function span(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  const s = Math.floor(seconds);
  if (s < 10 && s !== seconds) return `${seconds.toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

// size writes bytes in units of 1024.
function size(bytes) {
  if (!Number.isFinite(bytes)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let v = Math.max(0, bytes);
  let i = 0;
  for (; v >= 1000 && i < units.length - 1; i++) v /= 1024;
  return `${i === 0 || v >= 100 ? Math.round(v) : v.toFixed(1)} ${units[i]}`;
}

function percent(part) {
  return Number.isFinite(part) ? `${Math.round(part * 100)} %` : NONE;
}

function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

// clock is the time of day, UTC; the producer's clock may say anything, times
// that no calendar has included.
function clock(ts) {
  const date = new Date(ts);
  return Number.isNaN(date.getTime()) ? String(ts) : date.toISOString().slice(11, 23);
}

// plain shows what others may have put into a name: control characters, and
// those that turn or hide the text around them, are written out.
function plain(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// cut shortens a text, with a sign that something is missing.
function cut(text, most) {
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…`;
}
