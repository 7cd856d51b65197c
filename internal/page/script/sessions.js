// Slow sessions, and those that ended last, as the workers told them.

let told = null;

function showSessions(s) {
  told = s;
  const trouble = [s.error && plain(s.error), s.missing.length > 0 && `no answer from worker ${s.missing.join(", ")}`].filter(Boolean).join("; ");
  put(byId("sessions-trouble"), trouble);
  byId("sessions-trouble").hidden = !trouble;
  put(byId("slow-count"), s.slow_count > s.slow.length ? `the ${s.slow.length} worst of ${count(s.slow_count)}` : count(s.slow_count));
  put(byId("closed-count"), s.closed_count > s.closed.length ? `the last ${s.closed.length} of ${count(s.closed_count)} remembered` : count(s.closed_count));
  byId("no-slow").hidden = s.slow.length > 0;
  byId("no-closed").hidden = s.closed.length > 0;
  byId("slow").closest("table").hidden = s.slow.length === 0;
  byId("closed").closest("table").hidden = s.closed.length === 0;
  const owed = s.slow.reduce((m, c) => Math.max(m, c.owed_bytes), 0);
  fill(byId("slow"), s.slow.map((c) => [
    { text: plain(c.remote) },
    { text: plain(c.id) },
    { text: size(c.owed_bytes), bar: part(c.owed_bytes, owed) },
    { text: count(c.channels) },
    { text: count(c.records) },
    { text: span((s.ts - c.opened_ms) / 1000) },
  ]));
  ages();
}

// ages are shown anew each second, without a question.
function ages() {
  if (!told) return;
  const now = Math.max(told.ts, newest());
  fill(byId("closed"), told.closed.map((c) => [
    { text: plain(c.remote) },
    { text: plain(c.id) },
    { text: `${plain(c.why || "ended")}, ${c.code}`, note: plain(c.detail || ""), tone: CALM.has(c.reason) ? "" : "odd" },
    { text: `${span(Math.floor(Math.max(0, now - c.closed_ms) / 1000))} ago` },
    { text: span((c.closed_ms - c.opened_ms) / 1000) },
    { text: count(c.records), note: c.owed_bytes ? `${size(c.owed_bytes)} not sent` : "" },
  ]));
}

// CALM are the ends that are nobody's trouble.
const CALM = new Set(["client_closed", "client_gone", "draining", "shutting_down"]);
