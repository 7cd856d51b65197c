"use strict";
// The live feed: one WebSocket to the workers' port of this host. What records
// carry is hostile: it becomes text, never markup.
(() => {
  const SHOWN_MAX = 200; // records in the list
  const TEXT_MAX = 400; // characters of a record's value
  const CHANNELS_MAX = 50;
  const RETRY_MS = 2000;
  const byId = (id) => document.getElementById(id);
  const wanted = new Set(["*.trade"]);
  const list = byId("records");
  let socket = null;
  let port = null;
  let received = 0;
  let paused = false;
  let waiting = []; // rows to draw at the next frame, oldest first

  function element(kind, name, text) {
    const e = document.createElement(kind);
    e.className = name;
    e.textContent = text;
    return e;
  }

  function link(text, kind) {
    byId("link").textContent = text;
    byId("link").className = `badge ${kind}`;
  }

  // One drawing a frame, however many records came: the oldest of a flood are
  // counted and not shown.
  function draw(row) {
    if (paused) return;
    if (waiting.push(row) === 1) requestAnimationFrame(flush);
    if (waiting.length > SHOWN_MAX) waiting.splice(0, waiting.length - SHOWN_MAX);
  }

  function flush() {
    list.prepend(...waiting.reverse().map((make) => make()));
    waiting = [];
    while (list.children.length > SHOWN_MAX) list.lastChild.remove();
    byId("received").textContent = `${received.toLocaleString("en")} records received`;
  }

  function note(text) {
    draw(() => {
      const row = document.createElement("li");
      row.append(element("span", "note", text));
      return row;
    });
  }

  // The producer's clock may say anything, times that no calendar has included.
  function timeOf(ts) {
    const date = new Date(ts);
    return Number.isNaN(date.getTime()) ? String(ts) : date.toISOString().slice(11, 23);
  }

  function record(m) {
    received++;
    draw(() => {
      const row = document.createElement("li");
      const text = m.encoding === "base64" ? `base64 ${m.data}` : JSON.stringify(m.data);
      row.append(
        element("span", "time", timeOf(m.ts)),
        element("span", "channel", m.channel),
        element("span", "pos", m.pos),
        element("span", "data", text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text),
      );
      return row;
    });
  }

  const handlers = {
    message: record,
    hello: (m) => link(`worker ${m.worker}`, "good"),
    subscription_ack: (m) => {
      for (const r of m.rejected || []) {
        wanted.delete(r.channel);
        note(`${r.channel}: ${r.message}`);
      }
      chips();
    },
    error: (m) => note(`error ${m.code}: ${m.message}`),
    reset: (m) => note(`reset, ${m.reason}${m.lost ? ": records were lost" : ""}`),
    gap: (m) => note(`gap: ${m.dropped} records of ${m.channel} were dropped`),
  };

  function send(type, channels) {
    if (socket?.readyState === WebSocket.OPEN && channels.length) {
      socket.send(JSON.stringify({ type, data: { channels } }));
    }
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    link("connecting", "warn");
    socket = new WebSocket(`${scheme}://${location.hostname}:${port}/ws`);
    socket.onopen = () => send("subscribe", [...wanted]);
    socket.onmessage = (e) => {
      const m = JSON.parse(e.data);
      if (Object.hasOwn(handlers, m.type)) handlers[m.type](m);
    };
    socket.onclose = (e) => {
      link(`closed (${e.code}), trying again`, "bad");
      setTimeout(connect, RETRY_MS * (0.5 + Math.random()));
    };
  }

  function chips() {
    byId("subscriptions").replaceChildren(...[...wanted].map((channel) => {
      const item = document.createElement("li");
      const button = element("button", "", `${channel} ×`);
      button.type = "button";
      button.setAttribute("aria-label", `unsubscribe ${channel}`);
      button.onclick = () => {
        wanted.delete(channel);
        send("unsubscribe", [channel]);
        chips();
      };
      item.append(button);
      return item;
    }));
  }

  byId("form").onsubmit = (e) => {
    e.preventDefault();
    const channel = byId("pattern").value.trim();
    if (!channel || wanted.has(channel)) return;
    if (wanted.size >= CHANNELS_MAX) return note(`this page takes ${CHANNELS_MAX} subscriptions`);
    wanted.add(channel);
    send("subscribe", [channel]);
    chips();
  };
  byId("pause").onclick = () => {
    paused = !paused;
    byId("pause").setAttribute("aria-pressed", paused);
    byId("pause").textContent = paused ? "Go on" : "Pause";
  };

  // The port is in the status: {"listen": "HOST:PORT"}. The host is the page's own.
  document.addEventListener("status", (e) => {
    const match = /:(\d+)$/.exec(e.detail.listen || "");
    if (!match || port === match[1]) return;
    port = match[1];
    if (!socket) connect();
  });
  chips();
})();
