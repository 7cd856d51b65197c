// The same promises in Node and in Chromium: beside a real odind that is killed,
// drained and started anew, and beside servers that send what no odind does.
import assert from "node:assert/strict";
import { parsePos } from "../odin.js";
import * as drivers from "./drivers.mjs";
import { after, before, suite, test } from "./harness.mjs";
import { Odind } from "./odind.mjs";
import { frame, GREETING, Raw, text } from "./raw.mjs";

// until waits for what a witness is to say.
async function until(what, w, condition) {
  for (const end = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const state = await w.state();
    if (condition(state)) return state;
    assert.ok(Date.now() < end, `not within a minute: ${what}: ${JSON.stringify(state).slice(-2000)}`);
  }
}

const numbers = (state) => state.records.map(([, value]) => value.n).sort((a, b) => a - b);
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const of = (kind) => (state) => state.events.filter((e) => e.kind === kind);

// complete wants each number once, and each partition in order.
function complete(state, from, to) {
  assert.deepEqual(numbers(state), range(from, to));
  const last = {};
  for (const [text] of state.records) {
    const { partition, offset } = parsePos(text);
    assert.ok(offset > (last[partition] ?? -1), `${text} behind ${last[partition]}`);
    last[partition] = offset;
  }
}

const has = (n) => (state) => state.records.length >= n;
const back = (n) => (state) => of("recovery")(state).length >= n;
const subscribed = (state) => Object.keys(state.cursor).length > 0;

for (const driver of ["node", "chromium"]) {
  suite(driver, { timeout: 240_000 }, () => {
    let place, odind;
    const witnesses = [];
    const open = async (url, options) => {
      const w = await place.open(url, options);
      witnesses.push(w);
      return w;
    };
    before(async () => { [place, odind] = await Promise.all([drivers[driver](), Odind.start({ broker: true })]); });
    after(async () => {
      for (const w of witnesses) await w.stop();
      await place.close();
      assert.equal(await odind.stop(), 0);
    });

    test("records come as they were produced", async () => {
      const w = await open(odind.ws, { last: 10 });
      await until("subscribed", w, subscribed);
      odind.publish(0, 50);
      odind.odinctl("publish", "odin.trades", "BIN", "no json", "--brokers", odind.broker);
      const state = await until("51 records", w, has(51));
      const values = state.records.map(([, value]) => value);
      assert.deepEqual(values.filter(Array.isArray), [[...Buffer.from("no json")]]);
      complete({ records: state.records.filter(([, value]) => !Array.isArray(value)) }, 0, 50);
      assert.equal((await w.stop()).outcome, "AbortError");
    });

    test("a worker is killed in mid-stream", async () => {
      const w = await open(odind.ws);
      let state = await until("subscribed", w, subscribed);
      odind.publish(0, 20);
      await until("20 records", w, has(20));
      process.kill(odind.worker(of("connect")(state)[0].worker).pid, "SIGKILL");
      odind.publish(20, 20);
      state = await until("back, with 40 records", w, (s) => has(40)(s) && back(1)(s));
      complete(state, 0, 40);
      assert.deepEqual(of("recovery")(state).map((r) => r.recovered), [true]);
    });

    test("a cursor that was kept is gone on from", async () => {
      const first = await open(odind.ws);
      await until("subscribed", first, subscribed);
      odind.publish(0, 10);
      await until("10 records", first, has(10));
      const kept = await first.stop();
      odind.publish(10, 10);
      const second = await open(odind.ws, { cursor: JSON.parse(JSON.stringify(kept.cursor)) });
      const state = await until("recovered", second, back(1));
      complete(state, 10, 20);
      const { recovered, replayed } = of("recovery")(state)[0];
      assert.deepEqual([recovered, replayed], [true, 10]);
    });

    test("a drain is left and come back from within the window", async () => {
      const w = await open(odind.ws);
      await until("subscribed", w, subscribed);
      odind.publish(0, 10);
      await until("10 records", w, has(10));
      odind.odinctl("drain", "--over", "1s", "--wait");
      const gone = of("disconnect")(await until("left", w, (s) => of("disconnect")(s).length > 0))[0];
      assert.deepEqual([gone.name, gone.code, gone.reason, gone.final], ["CloseError", 1001, "draining", false]);
      assert.ok(gone.retryIn >= 500 && gone.retryIn <= 5000, `${gone.retryIn}`);
      odind.publish(10, 10);
      odind.odinctl("undrain");
      const state = await until("back", w, (s) => has(20)(s) && back(1)(s));
      complete(state, 0, 20);
      assert.equal(of("recovery")(state)[0].recovered, true);
    });

    test("all of odind is killed in mid-stream and started again", async () => {
      const w = await open(odind.ws);
      await until("subscribed", w, subscribed);
      odind.publish(0, 20);
      await until("20 records", w, has(20));
      await odind.kill();
      odind.publish(20, 20);
      await odind.again();
      const state = await until("back, with 40 records", w, (s) => has(40)(s) && back(1)(s));
      complete(state, 0, 40);
      assert.deepEqual(of("recovery")(state).map((r) => r.recovered), [true]);
      assert.ok(of("disconnect")(state).length > 0);
    });

    test("a log that is another one is told", async () => {
      const demo = await Odind.start();
      const w = await open(demo.ws);
      await until("subscribed", w, subscribed);
      demo.publish(0, 5);
      await until("5 records", w, has(5));
      await demo.kill();
      await demo.again(); // with topics made anew
      let state = await until("back", w, back(1));
      const { recovered, reason, replayed } = of("recovery")(state)[0];
      assert.deepEqual([recovered, reason, replayed], [false, "epoch", 0]);
      demo.publish(5, 5);
      state = await until("5 more", w, has(10));
      assert.deepEqual(numbers(state), range(0, 10));
      await w.stop();
      assert.equal(await demo.stop(), 0);
    });

    test("gaps, resets and a replay that fails are told", async () => {
      const at = (...offsets) => ({ t: { epoch: "e", offsets } });
      const record = (n) => text({ type: "message", channel: "A.trade", pos: `t:0:${n}`, ts: 1, data: { n } });
      const raw = await Raw.start([
        text(GREETING), text({ type: "subscription_ack", id: "1", subscribed: ["*.trade"], rejected: [], count: 1, history: 0, cursor: at(0) }),
        record(1), text({ type: "gap", channel: "A.trade", dropped: 2, pos: "t:0:3" }), record(4),
        text({ type: "reset", reason: "trimmed", lost: true, cursor: at(9) }), record(10),
        frame(Buffer.from([0x03, 0xe9, ...Buffer.from('{"code":"draining","retry_min_ms":10,"retry_max_ms":20}')]), { first: 0x88 }),
      ], [text(GREETING), text({ type: "reconnect_ack", id: "1", recovered: false, reason: "limit", messages_replayed: 0, subscribed: ["*.trade"], rejected: [], cursor: at(20) }), record(21)]);
      const w = await open(raw.ws);
      const state = await until("all of it", w, has(4));
      assert.deepEqual(numbers(state), [1, 4, 10, 21]);
      assert.deepEqual(state.events.map((e) => [e.kind, e.dropped ?? e.lost ?? e.reason]), [["connect", undefined], ["gap", 2], ["reset", true], ["disconnect", "draining"], ["connect", undefined], ["recovery", "limit"]]);
      assert.ok(state.events[3].retryIn >= 10 && state.events[3].retryIn <= 20);
      assert.deepEqual((await w.stop()).cursor, at(21));
      await raw.stop();
    });

    test("hostile frames end a connection, never the client", async () => {
      const bad = [
        [Buffer.from("no frame at all, but text")],
        [text(GREETING), frame([0xff, 0xfe])], // no UTF-8
        [text(GREETING), frame("x", { first: 0x82 })], // binary
        [text(GREETING), frame("x", { first: 0xc1 })], // a reserved bit
        [text(GREETING), frame("x", { first: 0x83 })], // a reserved opcode
        [text(GREETING), frame("x", { first: 0x80 })], // the end of what has not begun
        [text(GREETING), frame("x".repeat(200), { first: 0x89 })], // a ping too long
        [text(GREETING), frame("x", { length: 2 ** 52 })], // a length beyond all bounds
        [text(GREETING), Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78])], // masked
        [text(GREETING), frame([0x03], { first: 0x88 })], // a close of half a code
        [text(GREETING), text("{")], [text(GREETING), text("null")], [text("[]")], [text(`${GREETING}x`)],
        [text(GREETING), text('{"type":"message","channel":"A.trade","pos":"t:9999:1","ts":1,"data":1}')],
        undefined, // the handshake breaks
      ];
      const good = [text(GREETING), text({ type: "subscription_ack", id: "1", subscribed: ["*.trade"], rejected: [], count: 1, history: 0, cursor: {} }),
        text({ type: "message", channel: "A.trade", pos: "t:0:1", ts: 1, data: { n: 7 } })];
      const raw = await Raw.start(...bad, good);
      const w = await open(raw.ws, { backoffMin: 20, backoffMax: 40 });
      const state = await until("the record of a good server", w, has(1));
      assert.deepEqual([numbers(state), state.outcome], [[7], undefined]);
      assert.equal(of("disconnect")(state).length, bad.length);
      await w.stop();
      await raw.stop();
    });
  });
}
