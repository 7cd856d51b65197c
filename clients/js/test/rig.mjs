// A client of a server that does what a test tells it, in a time of its own.
import assert from "node:assert/strict";
import { Client } from "../odin.js";
import { mock } from "./harness.mjs";

export const GREETING = { type: "hello", version: "odin.v1", node: "n1", worker: 3, ts: 1, ping_interval_ms: 25000, limits: { max_channels: 1000, max_request_bytes: 262144 } };

export const at = (epoch, ...offsets) => ({ t: { epoch, offsets } });

// settle lets all that can happen now happen.
export async function settle() {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
}

export async function tick(ms) {
  for (let left = ms; left > 0; left -= 1000) {
    mock.timers.tick(Math.min(left, 1000));
    await settle();
  }
}

// Peer is the server's side of one connection: the socket that the client has.
export class Peer {
  got = [];
  sent = [];
  listeners = {};
  bufferedAmount = 0;

  constructor(url, protocols) { Object.assign(this, { url, protocols, born: Date.now() }); }

  addEventListener(type, f) { (this.listeners[type] ??= []).push(f); }
  happen(type, event) { for (const f of this.listeners[type] ?? []) f(event); }
  send(text) { (this.sent.push(text), this.got.push(JSON.parse(text))); }
  close(code = 1005) { this.closedWith ??= code; }

  say(message) { this.happen("message", { data: typeof message === "string" || message instanceof ArrayBuffer ? message : JSON.stringify(message) }); }
  greet() { (this.happen("open", {}), this.say(GREETING)); }
  drop() { (this.happen("error", {}), this.end(1006, "")); }
  end(code, reason = "") { this.happen("close", { code, reason, wasClean: code !== 1006 }); }

  // expect takes the next request but heartbeats.
  async expect(type, ...channels) {
    await settle();
    let asked = this.got.shift();
    while (asked?.type === "heartbeat") asked = this.got.shift();
    assert.deepEqual([asked?.type, asked?.data.channels], [type, channels]);
    return asked;
  }

  async quiet() {
    await settle();
    assert.deepEqual(this.got.filter((a) => a.type !== "heartbeat"), []);
  }

  records(channel, ...offsets) {
    for (const n of offsets) this.say({ type: "message", channel, pos: `t:0:${n}`, ts: 1763800000123, data: { n } });
  }

  takes(asked, cursor, more = {}) {
    this.say({ type: "subscription_ack", id: asked.id, subscribed: asked.data.channels, rejected: [], count: 1, history: 0, cursor, ...more });
  }

  recovers(asked, replayed, cursor, more = {}) {
    this.say({ type: "reconnect_ack", id: asked.id, recovered: true, status: "completed", messages_replayed: replayed, subscribed: asked.data.channels, rejected: [], cursor, ...more });
  }

  fails(asked, reason, cursor) {
    this.say({ type: "reconnect_ack", id: asked.id, recovered: false, reason, messages_replayed: 0, subscribed: asked.data.channels, rejected: [], cursor });
  }
}

// Rig is a client with what its handlers heard, a line each.
export class Rig {
  peers = [];
  taken = 0;
  heard = [];

  constructor(options = {}) {
    const rig = this;
    class WebSocket extends Peer {
      constructor(...args) {
        super(...args);
        rig.peers.push(this);
        if (rig.unreachable) setImmediate(() => this.drop());
      }
    }
    this.client = new Client("ws://odin.test/ws", {
      WebSocket,
      onRecord: (r) => this.hear(`${r.pos.topic}:${r.pos.partition}:${r.pos.offset} ${r.channel}${r.history ? " history" : ""}`),
      onGap: (g) => this.hear(`gap ${g.channel} ${g.dropped} ${g.pos.offset}`),
      onReset: (r) => this.hear(`reset ${r.reason} ${r.lost}`),
      onRecovery: (r) => this.hear(`recovery ${r.recovered} ${r.replayed} ${r.reason}${r.message}`),
      onRejected: (r) => this.hear(`rejected ${r.channel} ${r.code}`),
      onConnect: (c) => this.hear(`connected ${c.node}/${c.worker}`),
      onDisconnect: (d) => { this.told = d; this.hear(`disconnected final=${d.final}`); },
      ...options,
    });
  }

  hear(line) { this.heard.push(line); }

  run() {
    this.controller = new AbortController();
    this.outcome = undefined;
    this.done = this.client.run({ signal: this.controller.signal }).catch((error) => { this.outcome = { error }; });
    return this;
  }

  async stop() {
    this.controller?.abort();
    await this.done;
  }

  // silent waits for the next connection, accept greets it too.
  async silent() {
    for (let waited = 0; this.peers.length <= this.taken; waited += 1000) {
      assert.ok(waited < 3_600_000, "no connection comes");
      await tick(waited === 0 ? 1 : 1000);
    }
    return this.peers[this.taken++];
  }

  async accept() {
    const peer = await this.silent();
    peer.greet();
    await settle();
    return peer;
  }

  // live is the first connection, subscribed.
  async live(cursor = {}) {
    const peer = await this.accept();
    peer.takes(await peer.expect("subscribe", ...this.client.channels), cursor);
    await this.wants("connected n1/3");
    return peer;
  }

  // wants compares what was heard since the last time.
  async wants(...lines) {
    await settle();
    assert.deepEqual(this.heard, lines);
    this.heard = [];
  }

  async wantsCursor(cursor) {
    await settle();
    assert.deepEqual(this.client.cursor(), cursor);
  }
}

// bubble runs a test with a rig that runs, in its own time.
export async function bubble(options, test) {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_800_000_000_000 });
  const rig = new Rig(options).run();
  try {
    await test(rig);
  } finally {
    await rig.stop();
    mock.timers.reset();
  }
}
