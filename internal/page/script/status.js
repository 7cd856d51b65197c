// What each event "status" shows: the head, the facts, the charts' newest
// point, and the workers.

const SILENT_MS = 2000; // a worker's beat so old is remarkable
const WARNINGS_SHOWN = 5;

function showStatus(s) {
  remember({
    ts: s.ts, deliveries: s.rates.deliveries_per_s, records: s.rates.records_per_s,
    p50: s.rates.latency.p50_ms, p99: s.rates.latency.p99_ms, sessions: s.sessions, lag: s.lag,
  });
  showHead(s);
  showFacts(s);
  drawAll();
  showWorkers(s);
  showBalance(s);
  showTopics(s.topics, s.ts);
  findClients(s.listen);
}

function showHead(s) {
  put(byId("state"), stateWords(s.state));
  tone(byId("state"), `pill ${stateTone(s.state)}`);
  put(byId("node"), plain(s.node));
  put(byId("version"), `odind ${plain(s.version)}`);
  put(byId("uptime"), `up ${span(s.uptime_s)}`);
  put(byId("digest"), plain(s.config_digest));
  put(byId("clients"), plain(s.listen));
  put(byId("pid"), String(s.pid));
  document.title = s.state === "ready" ? `Odin${s.node ? ` on ${plain(s.node)}` : ""}` : `${stateWords(s.state)} – Odin`;
  showWarnings(s.warnings);
  showDrain(s.drain);
}

function showDrain(d) {
  byId("drain").hidden = !d;
  if (!d) return;
  const gone = `${count(d.sessions_closed)} of ${plural(d.sessions_at_start, "session")} closed`;
  put(byId("drain-words"), d.done
    ? `▽ Drained: ${gone}, none is left. New ones are refused until odinctl undrain.`
    : `▽ Draining: ${gone}, ${count(d.sessions_left)} left, ${span(Math.ceil(d.eta_s))} to go.`);
  byId("drain-bar").style.width = `${100 * (d.done ? 1 : part(d.sessions_closed, d.sessions_at_start))}%`;
}

// showWarnings shows the worst few, and all to who asks.
function showWarnings(warnings) {
  byId("warnings").hidden = warnings.length === 0;
  const more = byId("more-warnings");
  const all = more.getAttribute("aria-expanded") === "true";
  more.hidden = warnings.length <= WARNINGS_SHOWN;
  more.onclick = () => {
    more.setAttribute("aria-expanded", String(!all));
    showWarnings(warnings);
  };
  put(more, all ? "show fewer" : `show all ${warnings.length}`);
  const list = byId("warning-list");
  const shown = all ? warnings : warnings.slice(0, WARNINGS_SHOWN);
  while (list.children.length > shown.length) list.lastChild.remove();
  shown.forEach((text, i) => put(list.children[i] || list.appendChild(element("li")), plain(text)));
}

function fact(id, value, note) {
  put(byId(id), value);
  put(byId(`${id}-note`), note);
}

function showFacts(s) {
  const sum = (of) => s.workers.reduce((total, w) => total + of(w), 0);
  const ready = s.workers.filter((w) => w.state === "ready").length;
  const worst = s.topics.reduce((a, t) => (t.worst !== null && (!a || t.lag_s > a.lag_s) ? t : a), null);
  const blocked = sum((w) => w.blocked_sessions);
  fact("f-workers", `${ready} of ${s.workers.length}`, ready === s.workers.length ? "all are ready" : "ready");
  fact("f-deliveries", count(s.deliveries), `since start, now ${size(s.rates.bytes_per_s)}/s`);
  fact("f-lag", worst ? span(worst.lag_s) : NONE, worst ? `${cut(plain(worst.topic), 40)} p${worst.worst}` : `none of ${plural(s.partitions, "partition")}`);
  fact("f-cpu", `${s.rates.cores.toFixed(2)} cores`, `by ${plural(s.workers.length, "worker")}`);
  fact("f-memory", size(sum((w) => w.resident_bytes)), `${size(sum((w) => w.owed_bytes))} owed to sessions`);
  const dropped = sum((w) => w.slow_drops);
  fact("f-slow", count(blocked), `${count(sum((w) => w.slow_closes))} closed since start${dropped ? `, ${plural(dropped, "record")} dropped` : ""}`);
}

const part = (of, most) => (most > 0 ? of / most : 0);

function showWorkers(s) {
  const most = (of) => s.workers.reduce((m, w) => Math.max(m, of(w) || 0), 0);
  const sessions = most((w) => w.sessions);
  const deliveries = most((w) => w.rates.deliveries_per_s);
  fill(byId("workers"), s.workers.map((w) => {
    const alive = w.pid !== 0 && w.state !== "gone";
    const only = (text) => (alive ? text : NONE);
    return [
      { text: String(w.slot) },
      { text: stateWords(w.state), tone: stateTone(w.state), note: noteOf(w) },
      { text: count(w.sessions), bar: part(w.sessions, sessions) },
      { text: rate(w.rates.deliveries_per_s), bar: part(w.rates.deliveries_per_s, deliveries) },
      { text: percent(w.rates.cores), bar: w.rates.cores },
      { text: millis(w.rates.turn.p50_ms ?? NaN) },
      { text: millis(w.rates.turn.p99_ms ?? NaN) },
      { text: count(w.partitions) },
      { text: size(w.owed_bytes), note: w.blocked_sessions ? `${count(w.blocked_sessions)} blocked` : "" },
      { text: only(size(w.resident_bytes)) },
      { text: only(millis(w.heartbeat_age_ms)), tone: alive && w.heartbeat_age_ms > SILENT_MS ? "bad" : "", note: alive && w.heartbeat_age_ms > SILENT_MS ? "silent" : "" },
    ];
  }));
}

function noteOf(w) {
  return [
    w.reason && plain(w.reason),
    w.lent_to !== null && `served by worker ${w.lent_to}`,
    w.respawns > 0 && plural(w.respawns, "respawn"),
  ].filter(Boolean).join("; ");
}

// showBalance draws a column for each worker, and the mean as a line.
function showBalance(s) {
  const box = byId("balance");
  const most = s.workers.reduce((a, w) => (!a || w.sessions > a.sessions ? w : a), null);
  const mean = s.sessions / s.workers.length;
  while (box.children.length > s.workers.length + 1) box.lastChild.remove();
  while (box.children.length < s.workers.length + 1) box.append(element("i"));
  box.firstChild.style.bottom = `${100 * part(mean, most.sessions)}%`;
  box.firstChild.hidden = s.sessions === 0;
  s.workers.forEach((w, i) => { box.children[i + 1].style.height = `${100 * part(w.sessions, most.sessions)}%`; });
  put(byId("balance-words"), s.sessions === 0
    ? "no sessions"
    : `balance ${s.balance.toFixed(2)}: worker ${most.slot} has ${count(most.sessions)}, the mean is ${count(mean)}`);
}
