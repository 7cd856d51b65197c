// A client of odind, for browsers and Node. What is exported is documented in
// odin.d.ts; what the server promises, in docs/PROTOCOL.md.

// Bounds of what a server may say of places. No odind has more partitions, and
// none has more than 64 topics at a time.
const PARTITIONS_MAX = 4096;
const TOPICS_MAX = 1024;
const TOPIC_MAX = 249; // characters of its name, as Kafka has it
const EPOCH_MAX = 128; // characters

// Bounds of a connection, in ms.
const HANDSHAKE_MAX = 10_000; // and for the greeting
const SILENCE_MORE = 10_000; // beyond two heartbeats without a word: dead
const RETRY_MAX = 600_000; // of what a server can make a client wait
const TIMER_MAX = 2 ** 31 - 1; // what setTimeout takes

const REQUEST_BYTES = 256 << 10; // of a request, until the server says
const ENVELOPE = 512; // of these, without its channels
const CHANNELS_PER_REQUEST = 1000;
const CLIENT_ID_MAX = 128; // bytes

const MESSAGE_LEAST = 128; // that a message counts for in a queue, however short it is

// Close codes that a client may send: applications have those from 4000 on.
const DONE = 1000;
const BREACH = 4002;

export class OdinError extends Error {
  get name() { return this.constructor.name; }
}

export class ConnectionError extends OdinError {}
export class OverrunError extends OdinError {}
export class TooLargeError extends OdinError {}

export class ProtocolError extends OdinError {
  constructor(what) { super(`the server sent what is no odin.v1: ${what}`); }
}

export class CloseError extends OdinError {
  constructor(code, reason) {
    let [name, retry, final] = [reason, undefined, [1002, 1003, 1007, 1008, 1009, 1010].includes(code)];
    try { // another reason, from something between, leaves it to the code
      const r = JSON.parse(reason);
      if (typeof r.code === "string" && r.code !== "") {
        name = r.code;
        final = !(r.retry_max_ms > 0);
        if (!final) retry = bounded(Number(r.retry_min_ms) || 0, Number(r.retry_max_ms));
      }
    } catch {}
    super(`the server closed the connection: ${code} ${name}`.trimEnd());
    Object.assign(this, { code, reason: name, final });
    Object.defineProperty(this, "retry", { value: retry });
  }
}

// Thrown is what a handler threw, which may be anything.
class Thrown {
  constructor(error) { this.error = error; }
}

// Limited is a request that the server had no time for.
class Limited extends OdinError {}

export function parsePos(text) {
  const m = typeof text === "string" ? /^(.+):(\d{1,16}):(\d{1,16})$/s.exec(text) : null;
  const pos = m && { topic: m[1], partition: Number(m[2]), offset: Number(m[3]) };
  if (!pos || pos.topic.length > TOPIC_MAX || pos.partition >= PARTITIONS_MAX || !Number.isSafeInteger(pos.offset)) {
    throw new ProtocolError(`${JSON.stringify(text ?? null).slice(0, 300)} is no position: topic:partition:offset, like odin.trades:7:1042`);
  }
  return pos;
}

export const formatPos = ({ topic, partition, offset }) => `${topic}:${partition}:${offset}`;

export function parseCursor(text) {
  if (text === null || text === undefined) return undefined;
  let value;
  try { value = JSON.parse(text); } catch (error) { throw new ProtocolError(`no cursor: ${error.message}`); }
  return written(readCursor(value));
}

export function advance(cursor, { topic, partition, offset }) {
  if (Object.hasOwn(cursor, topic) && partition >= 0 && partition < PARTITIONS_MAX) raise(cursor[topic].offsets, partition, offset);
}

// readCursor makes a Map of the protocol's form: a topic may have any name.
function readCursor(value) {
  const cursor = new Map();
  let partitions = 0;
  for (const [topic, entry] of Object.entries(object(value ?? {}, "a cursor"))) {
    const { epoch = "", offsets = [] } = object(entry, "a cursor's entry");
    if (typeof epoch !== "string" || !Array.isArray(offsets)) throw new ProtocolError(`no cursor: ${topic.slice(0, TOPIC_MAX)} has no epoch and offsets`);
    if (topic.length > TOPIC_MAX || epoch.length > EPOCH_MAX) throw new ProtocolError(`a cursor with a topic of ${topic.length} characters and an epoch of ${epoch.length}, allowed: ${TOPIC_MAX} and ${EPOCH_MAX}`);
    partitions += offsets.length;
    if (partitions > PARTITIONS_MAX || cursor.size >= TOPICS_MAX) throw new ProtocolError(`a cursor of more than ${TOPICS_MAX} topics or ${PARTITIONS_MAX} partitions`);
    const bad = offsets.find((o) => o !== null && !(Number.isSafeInteger(o) && o >= -1));
    if (bad !== undefined) throw new ProtocolError(`no cursor: ${bad} is no offset: a whole number from -1 on, or null`);
    cursor.set(topic, { epoch, offsets: [...offsets] });
  }
  return cursor;
}

const written = (cursor) => Object.fromEntries([...cursor].map(([topic, { epoch, offsets }]) => [topic, { epoch, offsets: [...offsets] }]));

function object(value, what) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ProtocolError(`${what} is no object`);
  return value;
}

// rank orders offsets: what is not proven is below all, what isn't there is
// before the first record.
const rank = (offset) => (offset === null ? -2 : offset ?? -1);

function raise(offsets, partition, offset) {
  while (offsets.length <= partition) offsets.push(-1);
  offsets[partition] = Math.max(rank(offsets[partition]), offset);
}

// Place is where a stream is. The cursor says what is missing after a break:
// the server's word, moved by records. The marks say what handlers have had.
// The two differ where a new connection begins behind the cursor, at a worker
// that lags and could not prove anything: what it sends again is told by the
// marks, and dropped. Offsets of another epoch are others, so marks end with it.
class Place {
  constructor(cursor) {
    this.cursor = readCursor(cursor);
    this.marks = readCursor(cursor);
  }

  covers({ topic, partition, offset }) { return rank(this.cursor.get(topic)?.offsets[partition]) >= offset; }

  handed({ topic, partition, offset }) { return rank(this.marks.get(topic)?.offsets[partition]) >= offset; }

  // pass moves behind what was handed over, or announced as dropped.
  pass({ topic, partition, offset }) {
    const entry = this.cursor.get(topic);
    if (entry) raise(entry.offsets, partition, offset);
    const mark = this.marks.get(topic) ?? { epoch: entry?.epoch ?? "", offsets: [] };
    raise(mark.offsets, partition, offset);
    put(this.marks, topic, mark);
  }

  // adopt takes a cursor of the server's. With keep, offsets still belong to
  // the records that they did, and what handlers have had stays so; without,
  // what lies behind the new place is yet to come.
  adopt(cursor, keep) {
    for (const [topic, entry] of readCursor(cursor)) {
      const mark = this.marks.get(topic);
      if (mark && mark.epoch !== "" && mark.epoch !== entry.epoch) {
        this.marks.delete(topic);
      } else if (mark) {
        mark.epoch = entry.epoch;
        if (keep) mark.offsets.forEach((o, p) => entry.offsets[p] !== null && raise(entry.offsets, p, rank(o)));
        else mark.offsets.forEach((o, p) => { mark.offsets[p] = Math.min(rank(o), rank(entry.offsets[p])); });
      }
      put(this.cursor, topic, entry);
    }
  }
}

function put(map, topic, entry) {
  if (map.size >= TOPICS_MAX && !map.has(topic)) throw new ProtocolError(`more than ${TOPICS_MAX} topics`);
  map.set(topic, entry);
}

// sameRecords tells whether a reason leaves each offset to the record that it
// had: not so where a topic was made anew, or for a reason to come.
const sameRecords = (reason) => ["trimmed", "topology", "limit", "unavailable"].includes(reason);

// Channels is what the caller wants to hear, and what the server was asked for.
// A channel is covered when the server has taken it: the cursor is its place,
// and what comes after it is owed. One that was added since has no past.
class Channels {
  constructor(names, covered) {
    this.wanted = new Set(names);
    this.covered = new Set(covered ? names : []);
    this.asked = null; // on this connection; null: there is none
    this.resuming = false; // this connection's reconnect is not answered yet
  }

  forget(names) { // what the server has taken is covered until the server is told
    for (const name of names) {
      this.wanted.delete(name);
      if (!this.asked) this.covered.delete(name);
    }
  }

  reject(name) { for (const set of [this.wanted, this.covered, this.asked]) set?.delete(name); }

  cover(names) { for (const name of names) if (this.asked.has(name)) this.covered.add(name); }

  begin() {
    this.asked = new Set(this.covered);
    this.resuming = this.asked.size > 0;
    return [...this.asked].sort();
  }

  restart() { Object.assign(this, { asked: new Set(), resuming: false }); }

  end() {
    Object.assign(this, { asked: null, resuming: false });
    for (const name of this.covered) if (!this.wanted.has(name)) this.covered.delete(name);
  }

  // changes are what is to be asked, which counts as asked from now on. Those
  // to restart were covered: the caller has had their past.
  changes() {
    const todo = { unsubscribe: [], restart: [], subscribe: [] };
    if (this.resuming || !this.asked) return todo;
    for (const name of [...this.asked].sort()) {
      if (this.wanted.has(name)) continue;
      todo.unsubscribe.push(name);
      this.asked.delete(name);
      this.covered.delete(name);
    }
    for (const name of [...this.wanted].sort()) {
      if (this.asked.has(name)) continue;
      todo[this.covered.has(name) ? "restart" : "subscribe"].push(name);
      this.asked.add(name);
    }
    return todo;
  }
}

const bytes = (text) => new TextEncoder().encode(text).length;

// pieces cuts a list so that no part takes more bytes as JSON, but for a name
// that does so alone.
function pieces(names, bytesMax) {
  const parts = [];
  let size = 0;
  for (const name of names) {
    const n = bytes(JSON.stringify(name)) + 1;
    if (parts.length === 0 || size + n > bytesMax || parts.at(-1).length === CHANNELS_PER_REQUEST) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1).push(name);
    size += n;
  }
  return parts;
}

// bounded holds a time to come back to the bounds. One beyond them as a whole is
// the upper half of what they allow: it still spreads those who have it.
const bounded = (from, to) => {
  if (from >= RETRY_MAX) return { from: RETRY_MAX / 2, to: RETRY_MAX };
  const low = Math.max(from, 0);
  return { from: low, to: Math.min(Math.max(to, low), RETRY_MAX) };
};

// Backoff is how long to wait where the server doesn't say: from 0 to twice as
// long each time. A connection that lived for the longest wait ends the row.
class Backoff {
  constructor(first, most) { Object.assign(this, { first, most, failures: 0 }); }

  next(lived) {
    if (lived >= this.most) this.failures = 0;
    return { from: 0, to: Math.min(this.first * 2 ** this.failures++, this.most) };
  }

  // after gives the wait in ms, and whether there is no sense in another try.
  after(error, lived) {
    const own = this.next(lived);
    if (error instanceof Thrown || error instanceof TooLargeError || error.final) return { retryIn: 0, final: true };
    const { from, to } = error.retry ?? own;
    return { retryIn: from + Math.random() * (to - from), final: false };
  }
}

async function sleep(ms, signal) {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

// call calls a handler, and gives a promise if the handler gives one.
function call(handler, value) {
  try {
    const result = handler?.(value);
    if (typeof result?.then === "function") return Promise.resolve(result).catch((error) => { throw new Thrown(error); });
  } catch (error) {
    throw new Thrown(error);
  }
}

// FORMS are the members of messages that the client relies on, where they are
// there. A timestamp is its producer's, and may be beyond 2^53.
const FORMS = {
  hello: { node: "string", worker: "integer", limits: "object" },
  message: { channel: "string", ts: "number", encoding: "string" },
  gap: { channel: "string", dropped: "integer" },
  reset: { reason: "string", lost: "boolean" },
  subscription_ack: { id: "string", subscribed: "array", rejected: "array", history: "integer" },
  unsubscription_ack: { id: "string" },
  reconnect_ack: { id: "string", recovered: "boolean", reason: "string", messages_replayed: "integer", rejected: "array" },
  pong: {},
  error: { id: "string", code: "string", message: "string" },
  reconnect_error: { id: "string", code: "string", message: "string" },
};

const is = (value, type) => (type === "array" ? Array.isArray(value) : type === "integer" ? Number.isSafeInteger(value) : typeof value === type && !Array.isArray(value));

// parse reads a message. A type that it doesn't know is none of its business.
function parse(raw) {
  let m;
  try { m = JSON.parse(raw); } catch (error) { throw new ProtocolError(error.message); }
  if (typeof object(m, "a message").type !== "string") throw new ProtocolError("a message has no type");
  if (!Object.hasOwn(FORMS, m.type)) return m;
  for (const [name, type] of Object.entries(FORMS[m.type])) {
    const value = m[name] ?? undefined;
    if (value !== undefined && !is(value, type)) throw new ProtocolError(`${name} of ${m.type} is no ${type}`);
  }
  if (m.type === "message" || m.type === "gap") m.at = parsePos(m.pos);
  if (m.type === "message" && m.data === undefined) throw new ProtocolError("a record has no data");
  return m;
}

function record(m, raw, history) {
  const base = { channel: m.channel ?? "", pos: m.at, ts: m.ts ?? 0, history, raw };
  if (m.encoding === undefined) return { ...base, value: m.data, binary: false };
  if (m.encoding !== "base64") throw new ProtocolError(`unknown encoding ${m.encoding} of ${m.pos}`);
  try {
    if (typeof m.data !== "string") throw new TypeError("no string");
    return { ...base, value: Uint8Array.from(atob(m.data), (c) => c.charCodeAt(0)), binary: true };
  } catch (error) {
    throw new ProtocolError(`data of ${m.pos}: ${error.message}`);
  }
}

const weight = (message) => Math.max(message.length, MESSAGE_LEAST);

// Session is one connection.
class Session {
  constructor(state) {
    Object.assign(this, state, { requests: 0, pending: new Map(), history: 0, requestBytes: REQUEST_BYTES, greeted: false });
    Object.assign(this, { queue: [], queued: 0, busy: false, pumped: undefined, heard: Date.now(), beats: 0, ringing: false });
    this.over = new Promise((resolve) => { this.ended = resolve; });
  }

  // serve hears the connection to its end, and tells why it ended.
  async serve(signal) {
    const aborted = () => this.end(new OdinError("aborted"));
    signal?.addEventListener("abort", aborted, { once: true });
    try {
      this.open();
      const why = await this.over;
      await this.pumped; // a handler may be at work still
      return why;
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
  }

  open() {
    const socket = this.socket = new this.options.WebSocket(this.url, ["odin.v1"]);
    socket.binaryType = "arraybuffer";
    let opened = false, trouble = "";
    socket.addEventListener("open", () => { opened = true; });
    socket.addEventListener("message", ({ data }) => this.hear(data));
    socket.addEventListener("error", (event) => { trouble = event.error?.message || event.message || ""; });
    socket.addEventListener("close", ({ code, reason }) => {
      if (code !== 1006) return this.put(new CloseError(code, reason));
      const what = opened ? "the connection broke" : `cannot connect to ${this.url}`;
      this.put(new ConnectionError(trouble ? `${what}: ${trouble}` : what));
    });
    this.timer = setTimeout(() => this.end(new ConnectionError(`no greeting from ${this.url} within ${HANDSHAKE_MAX} ms`)), HANDSHAKE_MAX);
  }

  // end ends the connection: the first reason counts.
  end(why) {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.timer);
    clearInterval(this.beat);
    this.queue = [];
    this.socket.close(why instanceof ProtocolError ? BREACH : DONE);
    this.ended(why);
  }

  hear(data) {
    this.heard = Date.now();
    this.beats = 0;
    if (typeof data !== "string") return this.end(new ProtocolError("a binary message"));
    if (data.length > this.options.messageMax) return this.end(new TooLargeError(`a message has more than ${this.options.messageMax} characters: set a larger messageMax`));
    this.queued += weight(data);
    if (this.busy && this.queued > this.options.queueMax) return this.end(new OverrunError(`handlers are too slow: more than ${this.options.queueMax} characters wait for them`));
    this.put(data);
  }

  put(item) {
    if (this.done) return;
    this.queue.push(item);
    if (!this.busy) this.pumped = this.pump();
  }

  // pump takes what came in order. A handler that gives a promise is waited
  // for; others don't cost a turn of the event loop.
  async pump() {
    this.busy = true;
    try {
      while (this.queue.length > 0) {
        const batch = this.queue;
        this.queue = [];
        for (const item of batch) {
          if (this.done) return;
          if (item instanceof OdinError) throw item;
          const waiting = this.take(item);
          if (waiting) await waiting;
          this.queued -= weight(item);
        }
      }
    } catch (error) {
      this.end(error);
    } finally {
      this.busy = false;
    }
  }

  // take does what a message says. The place moves when the handler is done.
  take(raw) {
    const m = parse(raw);
    if (!this.greeted) return this.greet(m);
    switch (m.type) {
      case "message": return this.record(m, raw);
      case "gap": return this.gap(m, raw);
      case "reset": return this.reset(m, raw);
      case "reconnect_ack": return this.resumed(m);
      case "subscription_ack": return this.subscribed(m);
      case "pong": return this.place.adopt(m.cursor, true);
      case "unsubscription_ack": this.answered(m.id); return undefined;
      case "error": case "reconnect_error": return this.refused(m);
    }
  }

  async greet(m) {
    if (m.type !== "hello") throw new ProtocolError("it doesn't begin with hello");
    const bytesMax = m.limits?.max_request_bytes;
    if (Number.isSafeInteger(bytesMax) && bytesMax > 0) this.requestBytes = bytesMax;
    clearTimeout(this.timer);
    this.greeted = true;
    if (this.options.heartbeat > 0) this.beat = setInterval(() => this.heartbeat(), this.options.heartbeat);
    await call(this.options.onConnect, { node: m.node ?? "", worker: m.worker ?? 0 });
    if (!this.done) await this.begin();
  }

  // heartbeat asks for the place. The server's pings can't be seen here, so
  // that the answers are the sign of life. The clock tells of silence at once
  // when a machine wakes up; the beats tell, too, when the clock was set back.
  heartbeat() {
    const most = 2 * this.options.heartbeat + SILENCE_MORE;
    const silent = Math.max(Date.now() - this.heard, this.beats++ * this.options.heartbeat);
    if (silent > most) this.end(new ConnectionError(`nothing heard for ${silent} ms`));
    else if (this.socket.bufferedAmount === 0) this.send({ type: "heartbeat" });
  }

  // begin resumes what was covered on an earlier connection.
  async begin() {
    const names = this.channels.begin();
    if (names.length === 0) return this.ring();
    const { clientId } = this.options;
    const request = this.request("reconnect", { channels: names, client_id: clientId, cursor: written(this.place.cursor) });
    if (bytes(JSON.stringify(request)) > this.requestBytes) return this.notResumed({ reason: "too_large", message: "" });
    this.send(request);
  }

  async notResumed({ reason, message }) {
    await call(this.options.onRecovery, { recovered: false, replayed: 0, reason, message });
    this.channels.restart();
    this.ring();
  }

  // ring sends changes once the caller is through with them.
  ring() {
    if (this.ringing || this.done || !this.greeted) return;
    this.ringing = true;
    queueMicrotask(() => {
      this.ringing = false;
      if (!this.done) this.sendChanges();
    });
  }

  sendChanges() {
    const todo = this.channels.changes();
    const last = this.options.last || undefined;
    const all = [["unsubscribe", todo.unsubscribe], ["subscribe", todo.restart], ["subscribe", todo.subscribe, last]];
    for (const [type, names, last] of all) {
      for (const channels of pieces(names, this.requestBytes - ENVELOPE)) this.send(this.request(type, { channels, last }));
    }
  }

  // request makes a request whose answer is awaited.
  request(type, data) {
    const request = { type, id: String(++this.requests), data };
    this.pending.set(request.id, request);
    return request;
  }

  send(request) { this.socket.send(JSON.stringify(request)); }

  answered(id) {
    const asked = this.pending.get(id);
    this.pending.delete(id);
    return asked;
  }

  // record hands a record over. Records that `last` asked for lie before the
  // place that the server gave with its answer, and don't move it.
  record(m, raw) {
    const history = this.history > 0 && this.place.covers(m.at);
    if (history) this.history--;
    else if (this.place.handed(m.at)) return this.place.pass(m.at);
    const waiting = call(this.options.onRecord, record(m, raw, history));
    const pass = () => history || this.place.pass(m.at);
    return waiting ? waiting.then(pass) : void pass();
  }

  async gap(m, raw) {
    await call(this.options.onGap, { channel: m.channel ?? "", dropped: m.dropped ?? 0, pos: m.at, raw });
    this.place.pass(m.at);
  }

  async reset(m, raw) {
    const [reason, lost] = [m.reason ?? "", m.lost ?? false];
    await call(this.options.onReset, { reason, lost, cursor: written(readCursor(m.cursor)), raw });
    this.place.adopt(m.cursor, sameRecords(reason));
  }

  // resumed is told what became of the records between two connections.
  async resumed(m) {
    if (this.answered(m.id)?.type !== "reconnect") throw new ProtocolError("an answer to no reconnect");
    const [recovered, reason] = [m.recovered ?? false, m.reason ?? ""];
    await call(this.options.onRecovery, { recovered, replayed: m.messages_replayed ?? 0, reason, message: "" });
    this.place.adopt(m.cursor, sameRecords(reason));
    this.channels.resuming = false;
    await this.rejected(m.rejected);
    this.ring(); // with what has changed meanwhile
  }

  // subscribed is told which channels the server has taken: their past is its
  // present place.
  async subscribed(m) {
    this.answered(m.id);
    this.history += Math.max(0, m.history ?? 0);
    this.place.adopt(m.cursor, false);
    this.channels.cover(m.subscribed ?? []);
    await this.rejected(m.rejected);
  }

  async rejected(all) {
    for (const one of all ?? []) {
      const { channel, code, message } = object(one, "a rejected channel");
      this.channels.reject(channel);
      await call(this.options.onRejected, { channel: String(channel), code: String(code), message: String(message) });
    }
  }

  // refused is told that a request was not carried out.
  async refused(m) {
    const asked = this.answered(m.id);
    if (m.code === "rate_limited") throw new Limited("the server takes no more requests for now (rate_limited)");
    if (asked?.type === "reconnect") return this.notResumed({ reason: "refused", message: m.message ?? "" });
    if (asked?.type === "subscribe") return this.rejected(asked.data.channels.map((channel) => ({ channel, code: m.code, message: m.message })));
  }
}

// complete fills the options in, or says what is wrong with them.
function complete(url, options) {
  const o = { channels: [], last: 0, heartbeat: 30_000, backoffMin: 1_000, backoffMax: 30_000, messageMax: 80 << 20, queueMax: 16 << 20, WebSocket: globalThis.WebSocket };
  for (const [name, value] of Object.entries(options ?? {})) if (value !== undefined) o[name] = value;
  if (!/^wss?:$/.test(URL.canParse(url) ? new URL(url).protocol : "")) throw new TypeError(`${url} is no address of an odind, like ws://127.0.0.1:3001/ws`);
  if (typeof o.onRecord !== "function") throw new TypeError("onRecord is needed");
  if (typeof o.WebSocket !== "function") throw new TypeError("there is no WebSocket here: Node has it from version 22 on; for an older one give options.WebSocket, such as that of the package ws");
  if (!Array.isArray(o.channels) || !o.channels.every((name) => typeof name === "string")) throw new TypeError("channels is no array of strings");
  if (o.clientId !== undefined && !(typeof o.clientId === "string" && bytes(o.clientId) <= CLIENT_ID_MAX)) throw new TypeError(`clientId is no string of at most ${CLIENT_ID_MAX} bytes`);
  for (const [name, least] of [["last", 0], ["heartbeat", 0], ["backoffMin", 1], ["backoffMax", 1], ["messageMax", 1], ["queueMax", 1]]) {
    if (!(Number.isInteger(o[name]) && o[name] >= least && o[name] <= TIMER_MAX)) throw new TypeError(`${name} is ${o[name]}, allowed: whole numbers from ${least} to ${TIMER_MAX}`);
  }
  o.backoffMax = Math.max(o.backoffMin, o.backoffMax);
  return o;
}

export class Client {
  #state;
  #session;
  #running = false;

  constructor(url, options) {
    const o = complete(url, options);
    this.#state = { url, options: o, channels: new Channels(o.channels, o.cursor != null), place: new Place(o.cursor) };
  }

  subscribe(...channels) {
    if (!channels.every((name) => typeof name === "string")) throw new TypeError("a channel is no string");
    for (const name of channels) this.#state.channels.wanted.add(name);
    this.#session?.ring();
  }

  unsubscribe(...channels) {
    this.#state.channels.forget(channels);
    this.#session?.ring();
  }

  get channels() { return [...this.#state.channels.wanted].sort(); }

  cursor() { return written(this.#state.place.cursor); }

  async run({ signal } = {}) {
    if (this.#running) throw new OdinError("the client runs already");
    this.#running = true;
    const { options, channels } = this.#state;
    const retry = new Backoff(options.backoffMin, options.backoffMax);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const began = Date.now();
        this.#session = new Session(this.#state);
        const why = await this.#session.serve(signal);
        channels.end();
        if (!(why instanceof Thrown)) signal?.throwIfAborted();
        const { retryIn, final } = retry.after(why, Date.now() - began);
        const error = why instanceof Thrown ? why.error : why;
        options.onDisconnect?.({ error, retryIn, final });
        if (final) throw error;
        await sleep(retryIn, signal);
      }
    } finally {
      this.#session = undefined;
      this.#running = false;
    }
  }
}
