// Charts of the past minutes. All share their points and the moment that is
// pointed at: with the pointer, or with the arrow keys.

const PAST_MS = 300_000;
const BREAK = 5; // times the usual distance between two values: a line leads no farther
const past = { interval: 1000, points: [] };
const charts = [];
let pointed = null; // the ts looked at, null: the newest

// remember adds a point; odind may have been started anew, and the clock set back.
function remember(point) {
  const { points } = past;
  while (points.length && points[points.length - 1].ts >= point.ts) points.pop();
  points.push(point);
  while (points[0].ts < point.ts - PAST_MS) points.shift();
}

// rememberAll takes the server's past, and keeps what came before it.
function rememberAll(h) {
  past.interval = h.interval_ms;
  const first = h.ts.length ? h.ts[0] : Infinity;
  past.points = past.points.filter((p) => p.ts < first);
  h.ts.forEach((ts, i) => remember({
    ts, deliveries: h.deliveries_per_s[i], records: h.records_per_s[i], p50: h.latency_p50_ms[i], p99: h.latency_p99_ms[i],
    sessions: h.sessions[i], lag: h.lag[i],
  }));
}

// pointAt is the point nearest to a time.
function pointAt(ts) {
  return past.points.reduce((best, p) => (!best || Math.abs(p.ts - ts) < Math.abs(best.ts - ts) ? p : best), null);
}

// ceiling is the end of an axis that holds max, one whose half reads well too.
function ceiling(max, least) {
  const v = Math.max(max, least);
  const power = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 4, 6, 8, 10].map((m) => m * power).find((c) => c >= v * 0.9999);
}

// lines are the pieces of a series without large holes: lists of [x, y].
function lines(points, name, x, y) {
  const pieces = [];
  let last = -Infinity;
  for (const p of points) {
    if (p[name] === null || p[name] === undefined) continue;
    if (p.ts - last > BREAK * past.interval) pieces.push([]);
    pieces[pieces.length - 1].push([x(p.ts), y(p[name])]);
    last = p.ts;
  }
  return pieces;
}

// path draws a piece; one of a single value is a dot.
function path(piece) {
  return piece.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") + (piece.length === 1 ? "h0" : "");
}

function svg(kind, name, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", kind);
  if (name) e.setAttribute("class", name);
  for (const [key, value] of Object.entries(attributes || {})) e.setAttribute(key, value);
  return e;
}

// chart makes a card's drawing. series are {name, kind, label}; format writes a
// value; least is the smallest end of the axis.
function chart(id, { series, format, least, words }) {
  const root = byId(id);
  const drawing = svg("svg", "", { role: "slider", tabindex: "0", "aria-label": `${words}, past five minutes`, "aria-valuemin": "-300", "aria-valuemax": "0" });
  root.append(drawing);
  const c = { root, drawing, series, format, least, words, width: 0, height: 0 };
  c.grid = [0, 1].map(() => [drawing.appendChild(svg("line", "grid")), drawing.appendChild(svg("text", "tick"))]);
  c.base = drawing.appendChild(svg("line", "base"));
  c.marks = series.map((s) => [drawing.appendChild(svg("path", `area ${s.kind}`)), drawing.appendChild(svg("path", `line ${s.kind}`))]);
  c.hair = drawing.appendChild(svg("line", "hair"));
  c.dots = series.map((s) => drawing.appendChild(svg("circle", `dot ${s.kind}`, { r: 3 })));
  c.when = drawing.appendChild(svg("text", "tick"));
  c.now = drawing.appendChild(svg("text", "tick", { "text-anchor": "end" }));
  new ResizeObserver(([entry]) => {
    c.width = Math.round(entry.contentRect.width);
    c.height = Math.round(entry.contentRect.height);
    draw(c);
  }).observe(drawing);
  listen(c);
  charts.push(c);
}

function listen(c) {
  const point = (ts) => {
    pointed = ts;
    drawAll();
  };
  c.drawing.addEventListener("pointermove", (e) => {
    const { left, width } = c.drawing.getBoundingClientRect();
    if (width && past.points.length) point(pointAt(newest() - PAST_MS * (1 - (e.clientX - left) / width)).ts);
  });
  c.drawing.addEventListener("pointerleave", () => point(null));
  c.drawing.addEventListener("blur", () => point(null));
  c.drawing.addEventListener("keydown", (e) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity }[e.key];
    if (!steps || !past.points.length) return;
    e.preventDefault();
    const at = past.points.indexOf(pointAt(pointed ?? newest()));
    const to = Math.min(past.points.length - 1, Math.max(0, at + steps));
    point(to === past.points.length - 1 ? null : past.points[to].ts);
  });
}

const newest = () => (past.points.length ? past.points[past.points.length - 1].ts : 0);

function drawAll() {
  charts.forEach(draw);
}

function draw(c) {
  if (!c.width || !past.points.length) return;
  const bottom = c.height - 18;
  const end = newest();
  const top = ceiling(Math.max(...past.points.flatMap((p) => c.series.map((s) => p[s.name] ?? 0))), c.least);
  const x = (ts) => c.width * (1 - (end - ts) / PAST_MS);
  const y = (v) => bottom - (bottom - 14) * (v / top);
  c.drawing.setAttribute("viewBox", `0 0 ${c.width} ${c.height}`);
  [top, top / 2].forEach((v, i) => level(c, c.grid[i], y(v), c.format(v)));
  place(c.base, { x1: 0, x2: c.width, y1: bottom + 0.5, y2: bottom + 0.5 });
  c.series.forEach((s, i) => {
    const pieces = lines(past.points, s.name, x, y);
    c.marks[i][1].setAttribute("d", pieces.map(path).join(""));
    c.marks[i][0].setAttribute("d", pieces.map((p) => `${path(p)}L${p[p.length - 1][0].toFixed(1)} ${bottom}L${p[0][0].toFixed(1)} ${bottom}Z`).join(""));
  });
  mark(c, x, y, bottom);
}

function level(c, [line, text], y, words) {
  place(line, { x1: 0, x2: c.width, y1: Math.round(y) + 0.5, y2: Math.round(y) + 0.5 });
  place(text, { x: 0, y: y - 3 });
  put(text, words);
}

// mark shows the point looked at: in the drawing, in the numbers above it, and
// to those who hear the page.
function mark(c, x, y, bottom) {
  const p = pointAt(pointed ?? newest());
  const ago = Math.round((newest() - p.ts) / 1000);
  const at = Math.min(c.width - 0.5, Math.max(0.5, x(p.ts)));
  place(c.hair, { x1: at, x2: at, y1: 6, y2: bottom });
  c.drawing.classList.toggle("pointed", pointed !== null);
  c.series.forEach((s, i) => {
    const v = p[s.name] ?? null;
    put(c.root.querySelector(`[data-value=${s.name}]`), v === null ? NONE : c.format(v));
    place(c.dots[i], { cx: Math.min(c.width - 3, at), cy: v === null ? -10 : y(v) });
  });
  place(c.when, { x: 0, y: c.height - 4 });
  place(c.now, { x: c.width, y: c.height - 4 });
  put(c.when, pointed === null ? "5 min ago" : "");
  put(c.now, pointed === null ? "now" : `${clock(p.ts).slice(0, 8)} UTC, ${ago ? `${span(ago)} ago` : "now"}`);
  c.drawing.setAttribute("aria-valuenow", String(-ago));
  c.drawing.setAttribute("aria-valuetext", `${c.series.map((s) => `${s.label} ${p[s.name] === null ? "none" : c.format(p[s.name])}`).join(", ")}, ${ago ? `${span(ago)} ago` : "now"}`);
}

function place(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}
