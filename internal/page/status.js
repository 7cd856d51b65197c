"use strict";
// Asks /api/status every second and fills the totals and the tables. Other
// scripts hear of each answer by the document's event "status".
(() => {
  const SAMPLES = 60;
  const SILENT_MS = 2000; // a worker's beat so old is remarkable
  const MIB = 1 << 20;
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en");
  const show = (v) => (Number.isFinite(v) ? number.format(v) : "–");
  const showRate = (v) => (Number.isFinite(v) ? number.format(v < 10 ? Math.round(v * 10) / 10 : Math.round(v)) : "–");
  const tone = { ready: "good", starting: "warn", degraded: "warn", draining: "warn", gone: "bad" };
  let before = null; // {at, deliveries, workers: Map, topics: Map}
  const rates = [];

  function duration(seconds) {
    const s = Math.floor(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
  }

  // rate is the growth a second since the last answer; a counter that fell
  // belongs to another incarnation of odind.
  function rate(now, then, seconds) {
    return Number.isFinite(now) && Number.isFinite(then) && seconds > 0 && now >= then ? (now - then) / seconds : NaN;
  }

  // fill makes the table's rows those given, cell by cell, so that a selection survives.
  function fill(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, i) => {
      const row = body.rows[i] || body.insertRow();
      cells.forEach(([text, kind], j) => {
        const cell = row.cells[j] || row.insertCell();
        if (cell.textContent !== String(text)) cell.textContent = text;
        cell.className = kind || "";
      });
    });
  }

  function topicsOf(partitions) {
    const topics = new Map();
    for (const p of partitions) {
      const t = topics.get(p.topic) || { partitions: 0, orphans: 0, records: 0, lag: 0, late: 0 };
      t.partitions++;
      if (p.owner === null || p.owner === undefined) t.orphans++;
      t.records += Math.max(0, p.position + 1) || 0;
      t.lag += p.lag || 0;
      t.late = Math.max(t.late, p.lag_s || 0);
      topics.set(p.topic, t);
    }
    return topics;
  }

  function spark(value) {
    rates.push(Number.isFinite(value) ? value : 0);
    if (rates.length > SAMPLES) rates.shift();
    const top = Math.max(...rates, 1);
    byId("spark").setAttribute("points", rates.map((v, i) => `${i + SAMPLES - rates.length},${19 - (v / top) * 18}`).join(" "));
  }

  function noteOf(w) {
    const lent = w.lent_to === null || w.lent_to === undefined ? "" : `its listener is served by ${w.lent_to}`;
    return [w.reason, lent].filter(Boolean).join("; ");
  }

  function warn(warnings) {
    byId("warnings").hidden = warnings.length === 0;
    byId("warnings").replaceChildren(...warnings.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  }

  function head(s) {
    byId("state").textContent = s.state;
    byId("state").className = `badge ${tone[s.state] || ""}`;
    byId("version").textContent = s.version || "";
    byId("uptime").textContent = `${s.node ? `on ${s.node}, ` : ""}up ${duration(s.uptime_s || 0)}`;
    warn(s.warnings || []);
  }

  function render(s, at) {
    const seconds = before ? (at - before.at) / 1000 : 0;
    const topics = topicsOf(s.partitions || []);
    const workers = s.workers || [];
    const total = rate(s.deliveries, before?.deliveries, seconds);
    head(s);
    byId("t-sessions").textContent = show(s.sessions);
    byId("t-rate").textContent = showRate(total);
    byId("t-deliveries").textContent = show(s.deliveries);
    byId("t-lag").textContent = show([...topics.values()].reduce((sum, t) => sum + t.lag, 0));
    byId("t-balance").textContent = Number.isFinite(s.balance) ? s.balance.toFixed(2) : "–";
    if (before) spark(total);
    fill(byId("workers"), workers.map((w) => {
      const then = before?.workers.get(w.slot);
      return [[w.slot], [w.state, tone[w.state]], [show(w.sessions), "n"], [showRate(rate(w.deliveries, then?.deliveries, seconds)), "n"],
        [show(w.deliveries), "n"], [show(w.partitions), "n"], [showRate(rate(w.cpu_s, then?.cpu_s, seconds) * 100), "n"],
        [show(Math.round(w.resident_bytes / MIB)), "n"], [show(w.heartbeat_age_ms), w.heartbeat_age_ms > SILENT_MS ? "n bad" : "n"],
        [show(w.respawns), "n"], [w.pid, "n"], [noteOf(w), "warn"]];
    }));
    fill(byId("topics"), [...topics].map(([name, t]) => [[name], [show(t.partitions), "n"], [show(t.orphans), t.orphans ? "n bad" : "n"],
      [showRate(rate(t.records, before?.topics.get(name)?.records, seconds)), "n"], [show(t.lag), "n"], [showRate(t.late), "n"]]));
    before = { at, deliveries: s.deliveries, workers: new Map(workers.map((w) => [w.slot, w])), topics };
  }

  async function ask() {
    const fault = byId("fault");
    try {
      const answer = await fetch("api/status", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(`/api/status answers ${answer.status}`);
      const status = await answer.json();
      render(status, performance.now());
      fault.hidden = true;
      document.dispatchEvent(new CustomEvent("status", { detail: status }));
    } catch (err) {
      fault.textContent = `No status from the supervisor: ${err.message}. What is below is old.`;
      fault.hidden = false;
      byId("state").className = "badge bad";
    }
    setTimeout(ask, 1000);
  }
  ask();
})();
