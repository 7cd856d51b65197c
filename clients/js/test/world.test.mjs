// Clients against a server that does all that the protocol allows, at random:
// drops of the connection at any point, workers that lag, gaps, resets, topics
// made anew, replays that fail for each reason. Clients end at random, too, by a
// handler's failure or whole, and begin again with the cursor that they kept.
// However that goes, each record of the client's channels is handed over once
// and in order, or its loss was told.
import assert from "node:assert/strict";
import { parseCursor } from "../odin.js";
import { mock, test } from "./harness.mjs";
import { GREETING, Rig, settle } from "./rig.mjs";

const WORLDS = Number(process.env.WORLDS ?? 100);
const WANTED = ["A.x", "B.x"];
const PARTITIONS = [0, 1];

function random(seed) { // mulberry32
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

// World is a log, two workers that know it more or less, and the session that
// the client has with one of them. A record is known by [epoch, partition, offset].
class World {
  epoch = 0;
  log = [[], []];
  applied = [[-1, -1], [-1, -1]];
  owed = []; // every record of the client's channels since it subscribed
  had = new Set();
  told = new Set();
  last = {};
  losses = new Map(); // what notices tell of, by their number
  lost = []; // what a recovered:false tells of
  past = []; // what earlier epochs had
  crashes = true;
  history = [];

  constructor(seed) {
    this.random = random(seed);
    this.chance = random(seed + 1e6); // of handlers
    this.begin();
  }

  begin(cursor) {
    const handle = (f) => (what) => {
      const slow = this.chance(4) === 0;
      const crash = this.crashes && this.chance(30) === 0;
      const act = () => { if (crash) throw new Error("crash"); f(what); };
      return slow ? settle().then(act) : act();
    };
    const tell = handle(({ raw }) => this.losses.get(JSON.parse(raw).loss).forEach((x) => this.told.add(x)));
    this.rig = new Rig({
      channels: WANTED, cursor, onGap: tell, onReset: tell,
      onRecord: handle(({ value }) => this.take(value)),
      onRecovery: handle(({ recovered }) => { if (!recovered) this.lost.forEach((x) => this.told.add(x)); }),
    }).run();
    this.peer = null;
  }

  note(line) { this.history.push(line); }

  take([epoch, partition, offset]) {
    this.note(`  has ${[epoch, partition, offset]}`);
    const before = this.last[partition] ?? [-1, -1];
    const x = String([epoch, partition, offset]);
    assert.ok(!this.had.has(x) && (before[0] < epoch || (before[0] === epoch && before[1] < offset)), `${x} comes behind ${before}`);
    this.had.add(x);
    this.last[partition] = [epoch, offset];
  }

  say(message) {
    this.note(JSON.stringify(message));
    if (this.peer.closedWith === undefined) this.peer.say(message);
  }

  hangUp() {
    if (this.peer?.closedWith === undefined) this.peer?.drop();
    this.peer = null;
  }

  cursor(offsets) { return { t: { epoch: `e${this.epoch}`, offsets: [...offsets] } }; }

  // between are the client's records of a partition behind an offset, up to another.
  between(p, from, to) {
    const found = [];
    for (let o = from + 1; o <= to && o < this.log[p].length; o++) if (WANTED.includes(this.log[p][o])) found.push([this.epoch, p, o]);
    return found;
  }

  ahead(offsets) { return PARTITIONS.flatMap((p) => this.between(p, offsets[p], this.applied[this.worker][p])).map(String); }

  produce() {
    const p = this.random(2);
    const channel = ["A.x", "B.x", "C.x", ""][this.random(4)];
    this.log[p].push(channel);
    if (this.began && WANTED.includes(channel)) this.owed.push(String([this.epoch, p, this.log[p].length - 1]));
  }

  apply(worker) {
    for (const p of PARTITIONS) {
      const more = this.log[p].length - 1 - this.applied[worker][p];
      if (more > 0) this.applied[worker][p] += 1 + this.random(more);
    }
    if (this.peer?.live && worker === this.worker) this.deliver(true);
  }

  deliver(lossy) {
    for (const p of PARTITIONS) {
      const to = this.applied[this.worker][p];
      let dropped = [];
      for (const x of this.between(p, this.at[p], to)) {
        if (lossy && this.random(6) === 0) {
          dropped.push(x);
          continue;
        }
        this.gap(dropped);
        dropped = [];
        this.record(x);
      }
      this.gap(dropped);
      this.at[p] = Math.max(this.at[p], to);
    }
  }

  record([epoch, p, o]) { this.say({ type: "message", channel: this.log[p][o], pos: `t:${p}:${o}`, ts: 1, data: [epoch, p, o] }); }

  gap(dropped) {
    if (dropped.length === 0) return;
    const [, p, o] = dropped.at(-1);
    this.say({ type: "gap", channel: "A.x", dropped: dropped.length, pos: `t:${p}:${o}`, loss: this.loss(dropped.map(String)) });
  }

  loss(records) {
    this.losses.set(this.losses.size, records);
    return this.losses.size - 1;
  }

  skip() {
    if (!this.peer?.live) return;
    const loss = this.loss(this.ahead(this.at));
    this.at = this.at.map((o, p) => Math.max(o, this.applied[this.worker][p]));
    this.say({ type: "reset", reason: "trimmed", lost: true, loss, cursor: this.cursor(this.at) });
  }

  remake() {
    const gone = PARTITIONS.flatMap((p) => this.between(p, -1, Infinity)).map(String);
    this.past.push(...gone);
    this.log = [[], []];
    this.applied = [[-1, -1], [-1, -1]];
    this.epoch++;
    if (!this.peer?.live) return;
    this.at = [-1, -1];
    this.say({ type: "reset", reason: "epoch", lost: true, loss: this.loss(gone), cursor: this.cursor(this.at) });
  }

  // serve takes a new connection, or the requests of the one there is.
  async serve() {
    await settle();
    const fresh = this.rig.peers[this.rig.taken];
    if (fresh) {
      this.rig.taken++;
      this.peer = Object.assign(fresh, { live: false });
      this.worker = this.random(2);
      fresh.happen("open", {});
      this.say(GREETING);
      await settle();
    }
    while (this.peer?.closedWith === undefined && this.peer?.got.length > 0) {
      this.answer(this.peer.got.shift());
      await settle();
    }
  }

  answer({ type, id, data }) {
    this.note(`asked ${type} ${JSON.stringify(data)}`);
    const ack = { id, subscribed: data?.channels, rejected: [] };
    const here = this.applied[this.worker];
    if (type === "heartbeat" && this.peer.live) return this.say({ type: "pong", ts: 1, cursor: this.cursor(this.at) });
    if (type === "reconnect") return this.reconnect(ack, data.cursor.t);
    if (type !== "subscribe") return;
    if (!this.refused) this.owed = PARTITIONS.flatMap((p) => this.between(p, here[p], Infinity)).map(String);
    Object.assign(this, { at: [...here], began: true, refused: false });
    this.peer.live = true;
    this.say({ type: "subscription_ack", ...ack, history: 0, cursor: this.cursor(here) });
  }

  reconnect(ack, have) {
    const here = this.applied[this.worker];
    const fails = (reason, lost) => {
      Object.assign(this, { lost, at: [...here] });
      this.peer.live = true;
      this.say({ type: "reconnect_ack", ...ack, recovered: false, reason, messages_replayed: 0, cursor: this.cursor(here) });
    };
    if (have.epoch !== `e${this.epoch}`) return fails("epoch", [...this.past, ...this.ahead([-1, -1])]);
    const lost = this.ahead(have.offsets);
    const behind = PARTITIONS.some((p) => here[p] < have.offsets[p]);
    if (this.random(4) === 0) { // without need
      if (behind || this.random(3) > 0) return fails(["limit", "trimmed", "unavailable"][this.random(3)], lost);
      Object.assign(this, { refused: true, lost });
      return this.say({ type: "error", id: ack.id, code: "bad_request", message: "no" });
    }
    this.applied[this.worker] = here.map((o, p) => Math.max(o, have.offsets[p])); // it waited until it had as much
    for (const x of PARTITIONS.flatMap((p) => this.between(p, have.offsets[p], this.applied[this.worker][p]))) {
      if (this.random(20) === 0) return this.hangUp();
      this.record(x);
    }
    this.at = [...this.applied[this.worker]];
    this.peer.live = true;
    this.say({ type: "reconnect_ack", ...ack, recovered: true, status: "completed", messages_replayed: 1, cursor: this.cursor(this.at) });
  }

  // restart runs the client if it ended; perhaps a new one, with the old one's cursor.
  async restart() {
    await settle();
    if (!this.rig.outcome) return;
    const { error } = this.rig.outcome;
    if (error.message !== "crash" && error.name !== "AbortError") throw error;
    const cursor = this.rig.client.cursor();
    this.note(`ended: ${error.message}`);
    if (this.began && Object.keys(cursor).length > 0 && this.random(2) === 0) this.begin(parseCursor(JSON.stringify(cursor)));
    else this.rig.run();
  }

  // awaits waits for the client's next connection, if it has none.
  async awaits() {
    for (let waited = 0; !this.peer || this.peer.closedWith !== undefined; waited++) {
      assert.ok(waited < 1000, "the client doesn't come back");
      this.peer = null;
      await this.restart();
      mock.timers.tick(1000);
      await this.serve();
    }
  }

  async step() {
    await this.restart();
    const dice = this.random(20);
    if (dice === 0) this.hangUp();
    else if (dice === 1) this.skip();
    else if (dice === 2) this.random(8) === 0 && this.remake();
    else if (dice === 3) await this.rig.stop();
    else if (dice < 9) this.apply(this.random(2));
    else if (dice < 12) await this.serve();
    else if (dice === 12) await this.awaits();
    else this.produce();
  }

  // finish brings the client up to the end of the log, and looks at what it has.
  async finish() {
    this.crashes = false;
    for (let tries = 0; tries === 0 || !this.peer?.live || this.peer.closedWith !== undefined; tries++) {
      assert.ok(tries < 100, "the client doesn't come back");
      await this.awaits();
      await this.serve();
      if (this.peer) this.applied[this.worker] = this.log.map((l) => l.length - 1);
      if (this.peer?.live) this.deliver(false);
      for (let n = 0; n < 20; n++) await settle(); // slow handlers
    }
    const missing = this.owed.filter((x) => !this.had.has(x) && !this.told.has(x));
    assert.deepEqual(missing, [], "neither handed over nor told to be lost");
    await this.rig.stop();
  }
}

test(`${WORLDS} random worlds`, async () => {
  let records = 0;
  for (let seed = 0; seed < WORLDS; seed++) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_800_000_000_000 });
    const world = new World(seed);
    try {
      for (let n = 0; n < 150; n++) await world.step();
      await world.finish();
      records += world.had.size;
    } catch (error) {
      error.message += `\nin world ${seed}:\n${world.history.slice(-60).join("\n")}`;
      throw error;
    } finally {
      mock.timers.reset();
    }
  }
  assert.ok(records > WORLDS * 5, `${records} records`);
});
