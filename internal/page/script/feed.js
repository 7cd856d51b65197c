// The live feed: one WebSocket to the workers' port of this host, while a
// channel is wanted. What records carry is hostile: it becomes text.

const SHOWN_MAX = 200; // records in the list
const TEXT_MAX = 400; // characters of a record's value
const CHANNELS_MAX = 50;
const DRAW_MS = 200; // a flood is drawn five times a second
const RETRY_MS = [1000, 15000];

const feed = {
  wanted: new Set(), socket: null, address: "", retry: RETRY_MS[0], timer: 0,
  received: 0, counted: 0, held: 0, paused: false, waiting: [], drawing: 0,
};

function link(text, kind) {
  put(byId("link"), text);
  tone(byId("link"), `pill ${kind}`);
}

// draw keeps the newest rows for the next drawing, however many come.
function draws(row) {
  feed.waiting.push(row);
  if (feed.waiting.length > SHOWN_MAX) feed.waiting.splice(0, feed.waiting.length - SHOWN_MAX);
  if (!feed.drawing) feed.drawing = setTimeout(flush, DRAW_MS);
}

function flush() {
  feed.drawing = 0;
  if (feed.paused) return;
  const list = byId("records");
  list.prepend(...feed.waiting.reverse().map((make) => make()));
  feed.waiting = [];
  while (list.children.length > SHOWN_MAX) list.lastChild.remove();
}

function remark(text) {
  draws(() => {
    const row = element("li");
    row.append(element("span", "remark", plain(text)));
    return row;
  });
}

function heard(m) {
  feed.received++;
  if (feed.paused) feed.held++;
  draws(() => {
    const row = element("li");
    const text = m.encoding === "base64" ? `base64 ${m.data}` : JSON.stringify(m.data);
    row.append(element("span", "time", clock(m.ts)), element("span", "channel", plain(m.channel)),
      element("span", "pos", plain(m.pos)), element("span", "data", plain(cut(text, TEXT_MAX))));
    return row;
  });
}

const answers = {
  message: heard,
  hello: (m) => {
    feed.retry = RETRY_MS[0];
    link(`● worker ${m.worker}`, "good");
  },
  subscription_ack: (m) => {
    for (const r of m.rejected || []) {
      feed.wanted.delete(r.channel);
      remark(`${r.channel}: ${r.message}`);
    }
    showWanted();
  },
  error: (m) => remark(`error ${m.code}: ${m.message}`),
  reset: (m) => remark(`reset, ${m.reason}${m.lost ? ": records were lost" : ""}`),
  gap: (m) => remark(`gap: ${m.dropped} records of ${m.channel} were dropped, this page is too slow for them`),
};

function send(type, channels) {
  if (feed.socket?.readyState === WebSocket.OPEN && channels.length) feed.socket.send(JSON.stringify({ type, data: { channels } }));
}

// reach connects if somebody wants a channel, and leaves if nobody does.
function reach() {
  clearTimeout(feed.timer);
  feed.timer = 0;
  if (!feed.wanted.size || !feed.address) {
    feed.socket?.close(1000);
    if (!feed.wanted.size) link("not connected", "");
    return;
  }
  if (feed.socket) return;
  link("◐ connecting", "odd");
  const socket = new WebSocket(feed.address);
  feed.socket = socket;
  socket.onopen = () => send("subscribe", [...feed.wanted]);
  socket.onmessage = (e) => {
    const m = JSON.parse(e.data);
    if (Object.hasOwn(answers, m.type)) answers[m.type](m);
  };
  socket.onclose = (e) => left(e);
}

function left(e) {
  feed.socket = null;
  if (!feed.wanted.size) return reach();
  let why = "";
  try {
    why = JSON.parse(e.reason).code || "";
  } catch {
    why = e.code === 1006 ? `${feed.address} can't be reached, or broke off` : "";
  }
  link("✕ closed, trying again", "bad");
  put(byId("link-why"), plain(cut(`${e.code} ${why}`, 200)));
  feed.timer = setTimeout(reach, feed.retry * (0.5 + Math.random() / 2));
  feed.retry = Math.min(2 * feed.retry, RETRY_MS[1]);
}

// findClients learns where clients connect: the port of the status, at the
// host of this page.
function findClients(listen) {
  const [, port] = /:(\d+)$/.exec(listen || "") || [];
  if (!port) return;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.hostname}:${port}/ws`;
  if (address === feed.address) return;
  feed.address = address;
  feed.socket?.close(1000);
  reach();
}

function want(channel) {
  if (!channel || feed.wanted.has(channel)) return;
  if (feed.wanted.size >= CHANNELS_MAX) return remark(`this page takes ${CHANNELS_MAX} channels`);
  feed.wanted.add(channel);
  send("subscribe", [channel]);
  showWanted();
  reach();
}

function unwant(channel) {
  feed.wanted.delete(channel);
  send("unsubscribe", [channel]);
  showWanted();
  reach();
}

// showWanted writes the channels into the page and its address, so that a
// reload, or somebody who is sent it, finds them again.
function showWanted() {
  byId("subscriptions").replaceChildren(...[...feed.wanted].map((channel) => {
    const button = element("button", "", `${plain(channel)} ✕`);
    button.type = "button";
    button.setAttribute("aria-label", `unsubscribe ${plain(channel)}`);
    button.onclick = () => unwant(channel);
    const item = element("li");
    item.append(button);
    return item;
  }));
  const list = [...feed.wanted].map(encodeURIComponent).join(",");
  history.replaceState(null, "", list ? `#feed=${list}` : location.pathname + location.search);
  byId("no-feed").hidden = feed.wanted.size > 0;
}

function wantAddressed() {
  const [, list] = /^#feed=(.*)$/.exec(location.hash) || [];
  for (const encoded of (list || "").split(",").slice(0, CHANNELS_MAX)) {
    try {
      want(decodeURIComponent(encoded).trim());
    } catch {
      // an address that somebody cut
    }
  }
}

function startFeed() {
  byId("form").onsubmit = (e) => {
    e.preventDefault();
    want(byId("pattern").value.trim());
    byId("pattern").select();
  };
  byId("pause").onclick = () => {
    feed.paused = !feed.paused;
    feed.held = 0;
    byId("pause").setAttribute("aria-pressed", String(feed.paused));
    put(byId("pause"), feed.paused ? "Go on" : "Pause");
    if (!feed.paused) flush();
    countFeed();
  };
  byId("clear").onclick = () => {
    feed.waiting = [];
    byId("records").replaceChildren();
  };
  setInterval(countFeed, 1000);
  wantAddressed();
}

function countFeed() {
  const each = feed.received - feed.counted;
  feed.counted = feed.received;
  const held = feed.paused ? `, paused: ${plural(feed.held, "record")} came meanwhile` : "";
  put(byId("received"), feed.wanted.size || feed.received ? `${rate(each)} records/s, ${plural(feed.received, "record")}${held}` : "");
  if (feed.socket?.readyState === WebSocket.OPEN) put(byId("link-why"), "");
}
