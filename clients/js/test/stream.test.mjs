// What is handed over, and where the cursor stands.
import assert from "node:assert/strict";
import { advance, formatPos, parseCursor, parsePos, ProtocolError } from "../odin.js";
import { test } from "./harness.mjs";
import { at, bubble, Rig, settle } from "./rig.mjs";

const A = { channels: ["A.x"] };

test("records are handed over", async () => {
  const got = [];
  await bubble({ ...A, last: 2, onRecord: (r) => got.push(r) && undefined }, async (rig) => {
    const p = await rig.accept();
    assert.deepEqual(p.protocols, ["odin.v1"]);
    const asked = await p.expect("subscribe", "A.x");
    assert.equal(asked.data.last, 2);
    p.takes(asked, at("e", 41, -1), { history: 2 });
    p.records("A.x", 39, 41);
    p.say('{"type":"message","channel":"A.x","pos":"t:0:42","ts":5,"data":{"price":64012.550000000000000001}}');
    p.say({ type: "message", channel: "A.x", pos: "t:0:43", ts: 5, encoding: "base64", data: "AAFi/w==" });
    p.say({ type: "message", channel: "A.x", pos: "t:0:44", ts: 5, data: null, new: [] });
    p.say({ type: "something new", ts: "noon", pos: 7 });
    await rig.wantsCursor(at("e", 44, -1));
  });
  assert.deepEqual(got.map((r) => [r.pos.offset, r.value, r.binary, r.history]), [
    [39, { n: 39 }, false, true], [41, { n: 41 }, false, true], [42, { price: 64012.55 }, false, false],
    [43, Uint8Array.of(0, 1, 98, 255), true, false], [44, null, false, false],
  ]);
  assert.match(got[2].raw, /64012\.550000000000000001/);
  assert.deepEqual([got[0].channel, got[0].ts, got[0].pos], ["A.x", 1763800000123, { topic: "t", partition: 0, offset: 39 }]);
});

// A producer may set any timestamp: it costs nobody the stream.
test("timestamps of nanoseconds, and of anything", async () => {
  const got = [];
  await bubble({ ...A, onRecord: (r) => got.push(r.ts) && undefined }, async (rig) => {
    const p = await rig.live(at("e", 1));
    ["1795726644538123456", "9223372036854775807", "-9223372036854775808", "0"].forEach((ts, n) => p.say(`{"type":"message","channel":"A.x","pos":"t:0:${n + 2}","ts":${ts},"data":1}`));
    await rig.wantsCursor(at("e", 5));
    assert.equal(rig.told, undefined);
  });
  assert.deepEqual(got, [1795726644538123456, 2 ** 63, -(2 ** 63), 0]);
});

test("what was missed is resumed", () => bubble({ channels: ["B.x", "A.x"], clientId: "c1" }, async (rig) => {
  let p = await rig.live(at("e", 10));
  p.records("A.x", 11, 12);
  p.drop();
  p = await rig.accept();
  let asked = await p.expect("reconnect", "A.x", "B.x");
  assert.deepEqual([asked.data.cursor, asked.data.client_id], [at("e", 12), "c1"]);
  p.records("A.x", 15, 16);
  p.recovers(asked, 2, at("e", 20, -1));
  p.records("A.x", 21);
  await rig.wants("t:0:11 A.x", "t:0:12 A.x", "disconnected final=false", "connected n1/3", "t:0:15 A.x", "t:0:16 A.x", "recovery true 2 ", "t:0:21 A.x");
  await rig.wantsCursor(at("e", 21, -1));
  p.drop();
  p = await rig.accept();
  await p.expect("reconnect", "A.x", "B.x");
  p.records("A.x", 22);
  p.drop(); // in the middle of the replay
  p = await rig.accept();
  asked = await p.expect("reconnect", "A.x", "B.x");
  assert.deepEqual(asked.data.cursor, at("e", 22, -1));
}));

test("a cursor of an earlier client", () => bubble({ ...A, cursor: parseCursor(JSON.stringify(at("e", 7, null))) }, async (rig) => {
  const p = await rig.accept();
  const asked = await p.expect("reconnect", "A.x");
  assert.deepEqual(asked.data.cursor, at("e", 7, null));
  p.fails(asked, "unavailable", at("e", 6, 3));
  p.records("A.x", 7, 8); // 7 the earlier client has had
  await rig.wants("connected n1/3", "recovery false 0 unavailable", "t:0:8 A.x");
  await rig.wantsCursor(at("e", 8, 3));
  p.say({ type: "pong", ts: 1, cursor: at("e", 6) });
  await rig.wantsCursor(at("e", 8, -1));
}));

// What is sent again is the caller's again where it is another record, or where
// it can't be told.
for (const [reason, cursor, sent, heard, stands = cursor] of [
  ["unavailable", at("e", 9), [10, 12, 13], [13], at("e", 12)],
  ["trimmed", at("e", 20), [21], [21]],
  ["limit", at("e", 20), [21], [21]],
  ["epoch", at("f", 2), [3, 12], [3, 12]],
  ["epoch", at("e", 2), [3, 12], [3, 12]],
  ["unavailable", at("f", 2), [3, 12], [3, 12]],
  ["unavailable", at("e", null), [12, 13], [13]],
]) {
  test(`not recovered: ${reason}, ${JSON.stringify(cursor)}`, () => bubble(A, async (rig) => {
    let p = await rig.live(at("e", 10));
    p.records("A.x", 11, 12);
    p.drop();
    p = await rig.accept();
    p.fails(await p.expect("reconnect", "A.x"), reason, cursor);
    await rig.wants("t:0:11 A.x", "t:0:12 A.x", "disconnected final=false", "connected n1/3", `recovery false 0 ${reason}`);
    await rig.wantsCursor(stands);
    p.records("A.x", ...sent);
    await rig.wants(...heard.map((n) => `t:0:${n} A.x`));
  }));
}

test("gaps and resets", () => bubble(A, async (rig) => {
  const p = await rig.live(at("e", 10));
  p.say({ type: "gap", channel: "A.x", dropped: 3, pos: "t:0:13" });
  p.records("A.x", 14);
  await rig.wantsCursor(at("e", 14));
  p.say({ type: "reset", reason: "topology", lost: false, cursor: at("e", 14, -1) });
  p.say({ type: "reset", reason: "epoch", lost: true, cursor: at("f", -1, -1) });
  p.records("A.x", 0);
  await rig.wantsCursor(at("f", 0, -1));
  p.say({ type: "reset", reason: "trimmed", lost: true, cursor: at("f", 90, 5) });
  p.records("A.x", 91);
  await rig.wants("gap A.x 3 13", "t:0:14 A.x", "reset topology false", "reset epoch true", "t:0:0 A.x", "reset trimmed true", "t:0:91 A.x");
  await rig.wantsCursor(at("f", 91, 5));
  p.say({ type: "pong", ts: 1, cursor: at("f", 95, null) });
  await rig.wantsCursor(at("f", 95, null));
}));

test("handlers that give promises are called in order, one at a time", async () => {
  let [running, release] = [0, []];
  const onRecord = async () => {
    assert.equal(++running, 1);
    await new Promise((resolve) => release.push(resolve));
    running--;
  };
  await bubble({ ...A, onRecord }, async (rig) => {
    const p = await rig.live(at("e", 10));
    p.records("A.x", 11, 12, 13);
    p.end(1001, JSON.stringify({ code: "draining", retry_min_ms: 1, retry_max_ms: 2 })); // behind the records
    for (const n of [11, 12, 13]) {
      await settle();
      assert.equal(release.length, 1);
      await rig.wantsCursor(at("e", n - 1));
      release.pop()();
    }
    await rig.wantsCursor(at("e", 13));
    await rig.wants("disconnected final=false");
  });
});

// More than queueMax characters that nobody has dealt with cost the connection,
// and what waited comes again.
test("what waits for handlers is bounded", async () => {
  const release = [];
  await bubble({ ...A, queueMax: 1000, onRecord: () => new Promise((resolve) => release.push(resolve)) }, async (rig) => {
    let p = await rig.live(at("e", 10));
    let sent = 0;
    for (; p.closedWith === undefined; sent++) p.records("A.x", 11 + sent);
    assert.ok(sent < 20, `${sent} records wait`);
    await rig.wants(); // the handler is still at work
    release.pop()();
    await rig.wants("disconnected final=false");
    assert.equal(rig.told.error.name, "OverrunError");
    p = await rig.accept();
    assert.deepEqual((await p.expect("reconnect", "A.x")).data.cursor, at("e", 11));
  });
});

test("messages that are next to nothing wait within bounds, too", async () => {
  let release;
  await bubble({ ...A, queueMax: 128_000, onRecord: () => new Promise((resolve) => { release = resolve; }) }, async (rig) => {
    const p = await rig.live(at("e", 10));
    p.records("A.x", 11);
    let sent = 0;
    for (; p.closedWith === undefined && sent < 10_000; sent++) p.say(sent % 2 ? "" : "{}");
    assert.ok(sent <= 1000, `${sent} messages wait`);
    release();
    await settle();
    assert.equal(rig.told.error.name, "OverrunError");
  });
});

// A handler may do with its client what it likes.
test("handlers that unsubscribe, subscribe, run and abort within themselves", async () => {
  let rig;
  const seen = [];
  const onRecord = async ({ pos }) => {
    seen.push(pos.offset);
    rig.client.unsubscribe("A.x");
    rig.client.subscribe("B.x");
    await assert.rejects(rig.client.run(), /runs already/);
    if (pos.offset === 12) rig.controller.abort();
  };
  await bubble({ ...A, onRecord }, async (r) => {
    rig = r;
    const p = await rig.live(at("e", 10));
    p.records("A.x", 11, 12, 13); // 13 is on its way still
    await p.expect("unsubscribe", "A.x");
    await rig.done;
    assert.deepEqual([seen, rig.outcome.error.name, p.closedWith], [[11, 12], "AbortError", 1000]);
    await rig.wantsCursor(at("e", 12));
  });
});

// What runs on in Node when a client has ended would hold its process.
test("nothing is left of a client that has ended", async () => {
  const timers = new Set();
  const real = { setTimeout, clearTimeout, setInterval, clearInterval };
  for (const [set, clear] of [["setTimeout", "clearTimeout"], ["setInterval", "clearInterval"]]) {
    globalThis[set] = (f, ms, ...args) => {
      const timer = real[set](() => { if (set === "setTimeout") timers.delete(timer); f(...args); }, ms);
      timers.add(timer);
      return timer;
    };
    globalThis[clear] = (timer) => { timers.delete(timer); real[clear](timer); };
  }
  try {
    for (const until of [async () => {}, (rig) => rig.peers[0].happen("open", {}), (rig) => rig.peers[0].greet(), (rig) => rig.peers[0].drop(), (rig) => { rig.peers[0].greet(); rig.peers[0].end(1013, '{"code":"overloaded","retry_min_ms":5000,"retry_max_ms":30000}'); }]) {
      const rig = new Rig(A).run();
      await settle();
      await until(rig);
      await settle();
      assert.ok(timers.size > 0);
      await rig.stop();
      assert.deepEqual([timers.size, rig.peers.length], [0, 1]);
    }
  } finally {
    Object.assign(globalThis, real);
  }
});

test("a handler's failure ends run before what it was called for", async () => {
  for (const fails of [() => { throw "full"; }, async () => { throw "full"; }]) {
    let full = true;
    const onRecord = (r) => (r.pos.offset === 12 && full ? fails() : undefined);
    await bubble({ ...A, onRecord }, async (rig) => {
      let p = await rig.live(at("e", 10));
      p.records("A.x", 11, 12, 13);
      await rig.done;
      assert.deepEqual([rig.outcome, p.closedWith], [{ error: "full" }, 1000]);
      await rig.wants("disconnected final=true");
      await rig.wantsCursor(at("e", 11));
      full = false;
      rig.run();
      p = await rig.accept();
      p.records("A.x", 12);
      await rig.wants("connected n1/3");
      await rig.wantsCursor(at("e", 12));
    });
  }
});

test("the cursor can be kept together with what a handler made of the record", async () => {
  let kept;
  const options = { ...A, onRecord(r) {
    kept = rig.client.cursor();
    assert.deepEqual(kept, at("e", 10));
    advance(kept, r.pos);
    advance(kept, { topic: "other", partition: 0, offset: 1 });
  } };
  let rig;
  await bubble(options, async (r) => {
    rig = r;
    (await rig.live(at("e", 10))).records("A.x", 11);
    await settle();
  });
  assert.deepEqual(kept, at("e", 11));
});

test("positions", () => {
  for (const [text, topic, partition, offset] of [["odin.trades:7:1042", "odin.trades", 7, 1042], ["a:b:4095:9007199254740991", "a:b", 4095, 2 ** 53 - 1]]) {
    assert.deepEqual(parsePos(text), { topic, partition, offset });
    assert.equal(formatPos(parsePos(text)), text);
  }
  for (const text of ["", "t", "t:1", ":1:2", "t:-1:2", "t:1:-2", "t:x:2", "t:1:", "t:1:9007199254740992", "t:4096:1", "t::1", "t:1:1e3", 7, null, {}]) {
    assert.throws(() => parsePos(text), ProtocolError, String(text));
  }
});

test("cursors keep their form", () => {
  const text = '{"odin.trades":{"epoch":"5f.0","offsets":[1042,-1,null,9007199254740991]},"__proto__":{"epoch":"","offsets":[]}}';
  assert.equal(JSON.stringify(parseCursor(text)), text);
  assert.deepEqual([parseCursor(null), parseCursor(undefined)], [undefined, undefined]);
  const topics = Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`t${n}`, { epoch: "e", offsets: [] }]));
  for (const bad of ["", "[]", "7", '{"t":7}', '{"t":{"offsets":[-2]}}', '{"t":{"offsets":[1.5]}}', '{"t":{"offsets":["1"]}}', '{"t":{"offsets":[9007199254740993]}}',
    '{"t":{"epoch":1,"offsets":[]}}', '{"t":{"offsets":{}}}', JSON.stringify({ t: { offsets: Array(4097).fill(0) } }), JSON.stringify(topics)]) {
    assert.throws(() => parseCursor(bad), ProtocolError, bad.slice(0, 40));
  }
  const cursor = parseCursor('{"t":{"epoch":"e","offsets":[5,null]}}');
  for (const [partition, offset] of [[0, 4], [1, 0], [3, 7], [-1, 1], [4096, 1]]) advance(cursor, { topic: "t", partition, offset });
  assert.deepEqual(cursor, { t: { epoch: "e", offsets: [5, 0, -1, 7] } });
});
