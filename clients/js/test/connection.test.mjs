// When the client comes back, what it asks for, and what it doesn't take.
import assert from "node:assert/strict";
import { Client, CloseError, TooLargeError } from "../odin.js";
import { test } from "./harness.mjs";
import { at, bubble, GREETING, Rig, settle, tick } from "./rig.mjs";

const A = { channels: ["A.x"] };

// The client comes back within the window that a close frame gives, or not at
// all where the server says that this won't help.
for (const [code, reason, from, to] of [
  [1001, '{"code":"draining","retry_min_ms":500,"retry_max_ms":5000}', 500, 5000],
  [1013, '{"code":"overloaded","retry_min_ms":5000,"retry_max_ms":30000}', 5000, 30000],
  [4000, '{"code":"slow_consumer","retry_min_ms":70,"retry_max_ms":70}', 70, 70],
  [1011, '{"code":"internal:7","retry_min_ms":9,"retry_max_ms":3}', 9, 9],
  [1012, '{"code":"restarting","retry_min_ms":-5,"retry_max_ms":9223372036854775807}', 0, 600_000],
  [1012, '{"code":"restarting","retry_min_ms":{},"retry_max_ms":"9"}', 0, 9],
  [1012, '{"code":"restarting","retry_min_ms":1e999,"retry_max_ms":1e999}', 300_000, 600_000],
  [1012, '{"code":"restarting","retry_min_ms":600000,"retry_max_ms":700000}', 300_000, 600_000], // still spread
  [1012, '{"code":"restarting","retry_min_ms":{"valueOf":1,"toString":1},"retry_max_ms":9}', 0, 1000],
  [1001, "<html>gone</html>", 0, 1000], [1008, '{"code":"origin","retry_max_ms":-5}'], [1008, '{"code":"origin","retry_max_ms":"soon"}'],
  [1008, '{"code":"origin"}'], [1009, '{"code":"too_big"}'], [4001, '{"code":"token_expired"}'],
  [1002, ""], [1003, ""], [1007, "no json"], [1008, ""],
  [1000, "", 0, 1000], [1005, "", 0, 1000], [1001, "proxy says bye", 0, 1000], [1011, '{"code":""}', 0, 1000],
  [1013, '{"retry":1}', 0, 1000], [4999, "null", 0, 1000], [1006, "", 0, 1000],
]) {
  test(`closed with ${code} ${reason}`, () => bubble(A, async (rig) => {
    (await rig.live()).end(code, reason);
    await settle();
    const { error, retryIn, final } = rig.told;
    assert.equal(final, to === undefined);
    assert.equal(error.name, code === 1006 ? "ConnectionError" : "CloseError");
    if (code !== 1006) assert.deepEqual([error.code, error.final], [code, final]);
    if (final) {
      await rig.done;
      return assert.equal(rig.outcome.error, error);
    }
    assert.ok(retryIn >= from && retryIn <= to, `${retryIn}`);
    await tick(Math.floor(retryIn) - 1);
    assert.equal(rig.peers.length, 1);
    await tick(2);
    assert.equal(rig.peers.length, 2);
  }));
}

test("windows are used in full", () => bubble(A, async (rig) => {
  const quarters = [0, 0, 0, 0];
  for (let n = 0; n < 400; n++) {
    (await rig.silent()).end(1001, '{"code":"draining","retry_min_ms":100,"retry_max_ms":500}');
    await settle();
    quarters[Math.min(3, Math.floor((rig.told.retryIn - 100) / 100))]++;
  }
  assert.ok(Math.min(...quarters) > 50, `${quarters}`); // 100 each, with a deviation of 9
}));

test("own waits grow up to a bound, for ever, and begin anew behind a long life", () => bubble({}, async (rig) => {
  rig.unreachable = true;
  rig.peers[0].drop();
  const most = [];
  for (let n = 0; n < 200; n++) {
    await rig.silent();
    await settle();
    const { error, retryIn } = rig.told;
    assert.match(error.message, /cannot connect to ws:\/\/odin\.test/);
    const step = Math.min(n, 6);
    most[step] = Math.max(most[step] ?? 0, retryIn);
  }
  most.forEach((ms, n) => assert.ok(ms <= Math.min(1000 * 2 ** n, 30_000), `${most}`));
  assert.ok(most[6] > 20_000, `${most}`);
  rig.unreachable = false;
  const p = await rig.accept();
  await tick(30_000);
  p.drop();
  await settle();
  assert.ok(rig.told.retryIn <= 1000);
}));

test("channels come and go", () => bubble({}, async (rig) => {
  let p = await rig.accept();
  const { client } = rig;
  await p.quiet();
  client.subscribe("A.x", "B.x");
  client.subscribe("A.x");
  p.takes(await p.expect("subscribe", "A.x", "B.x"), at("e", 1));
  await p.quiet();
  client.unsubscribe("B.x", "none");
  await p.expect("unsubscribe", "B.x");
  p.drop();
  await settle();
  client.subscribe("C.x"); // from now on: it isn't resumed
  client.unsubscribe("A.x");
  client.subscribe("A.x"); // anew
  p = await rig.accept();
  p.takes(await p.expect("subscribe", "A.x", "C.x"), at("e", 5));
  await p.quiet();
  p.drop();
  p = await rig.accept();
  const asked = await p.expect("reconnect", "A.x", "C.x");
  client.subscribe("D.x");
  client.unsubscribe("C.x");
  await p.quiet(); // nothing until the answer
  p.recovers(asked, 0, at("e", 9));
  await p.expect("unsubscribe", "C.x");
  p.takes(await p.expect("subscribe", "D.x"), at("e", 9));
  client.unsubscribe("D.x"); // a change of mind that the server never hears of
  client.subscribe("D.x");
  await p.quiet();
  assert.deepEqual(client.channels, ["A.x", "D.x"]);
  p.drop();
  await (await rig.accept()).expect("reconnect", "A.x", "D.x");
}));

test("a subscription that was not answered is not resumed", () => bubble(A, async (rig) => {
  let p = await rig.accept();
  await p.expect("subscribe", "A.x");
  p.drop();
  p = await rig.accept();
  p.takes(await p.expect("subscribe", "A.x"), at("e", 1));
  rig.client.unsubscribe("A.x");
  p.say({ type: "unsubscription_ack", id: (await p.expect("unsubscribe", "A.x")).id, unsubscribed: ["A.x"], count: 0 });
  p.drop();
  await (await rig.accept()).quiet();
}));

test("rejected channels are forgotten", () => bubble({ channels: ["A.x", "bad", "B.x"] }, async (rig) => {
  let p = await rig.accept();
  let asked = await p.expect("subscribe", "A.x", "B.x", "bad");
  p.takes(asked, at("e", 1), { subscribed: ["A.x", "B.x"], rejected: [{ channel: "bad", code: "bad_channel", message: "m" }] });
  await rig.wants("connected n1/3", "rejected bad bad_channel");
  p.drop();
  p = await rig.accept();
  p.recovers(await p.expect("reconnect", "A.x", "B.x"), 0, {}, { rejected: [{ channel: "B.x", code: "forbidden", message: "m" }] });
  await rig.wants("disconnected final=false", "connected n1/3", "recovery true 0 ", "rejected B.x forbidden");
  rig.client.subscribe("C.x");
  p.say({ type: "error", id: (await p.expect("subscribe", "C.x")).id, code: "bad_request", message: "m" });
  await rig.wants("rejected C.x bad_request");
  p.say({ type: "error", code: "bad_json", message: "not ours" });
  p.drop();
  await (await rig.accept()).expect("reconnect", "A.x");
}));

for (const type of ["error", "reconnect_error"]) {
  test(`a reconnect that is refused by ${type} is asked anew, and told`, () => bubble({ ...A, last: 5 }, async (rig) => {
    (await rig.live(at("e", 10))).drop();
    const p = await rig.accept();
    const asked = await p.expect("reconnect", "A.x");
    rig.client.subscribe("B.x");
    p.say({ type, id: asked.id, code: "bad_request", message: " no" });
    assert.equal((await p.expect("subscribe", "A.x")).data.last, undefined);
    assert.equal((await p.expect("subscribe", "B.x")).data.last, 5);
    await rig.wants("disconnected final=false", "connected n1/3", "recovery false 0 refused no");
  }));
}

test("a reconnect that is too large is asked anew, and told", () => bubble(A, async (rig) => {
  (await rig.live(at("e", 10))).drop();
  const p = await rig.silent();
  p.say({ ...GREETING, limits: { max_request_bytes: 100 } });
  await p.expect("subscribe", "A.x");
  await rig.wants("disconnected final=false", "connected n1/3", "recovery false 0 too_large");
}));

test("many channels are asked for in pieces", async () => {
  const channels = Array.from({ length: 2500 }, (_, n) => `${n}`.padStart(5, "0") + "." + "ü".repeat(50));
  await bubble({ channels }, async (rig) => {
    const p = await rig.silent();
    p.say({ ...GREETING, limits: { max_request_bytes: 65536 } });
    await settle();
    assert.deepEqual(p.got.flatMap((a) => a.data.channels), channels);
    for (const text of p.sent) assert.ok(Buffer.byteLength(text) <= 65536);
  });
});

test("thousands of channels come and go, each asked once", () => bubble({}, async (rig) => {
  const names = Array.from({ length: 5000 }, (_, n) => `${n}`.padStart(5, "0") + ".x");
  const p = await rig.accept();
  for (const name of names) rig.client.subscribe(name);
  await settle();
  assert.deepEqual(p.got.map((a) => [a.type, a.data.channels.length]), Array(5).fill(["subscribe", 1000]));
  assert.deepEqual(p.got.splice(0).flatMap((a) => a.data.channels), names);
  rig.client.unsubscribe(...names.slice(1));
  await settle();
  assert.deepEqual(p.got.flatMap((a) => a.data.channels), names.slice(1));
  assert.deepEqual(rig.client.channels, names.slice(0, 1));
}));

test("rate limited: it comes back later", () => bubble(A, async (rig) => {
  const p = await rig.accept();
  p.say({ type: "error", id: (await p.expect("subscribe", "A.x")).id, code: "rate_limited", message: "m" });
  await rig.wants("connected n1/3", "disconnected final=false");
  assert.equal(p.closedWith, 1000);
  await (await rig.accept()).expect("subscribe", "A.x");
}));

test("an abort ends it at once, whatever it does", async () => {
  for (const until of [
    () => {}, // connecting
    async (rig) => (await rig.silent()).happen("open", {}),
    async (rig) => rig.live(),
    async (rig) => { (await rig.live()).drop(); await (await rig.accept()).expect("reconnect", "A.x"); },
    async (rig) => { (await rig.live()).end(1013, '{"code":"overloaded","retry_min_ms":5000,"retry_max_ms":30000}'); },
  ]) {
    await bubble(A, async (rig) => {
      await until(rig);
      await settle();
      const why = new Error("enough");
      rig.controller.abort(why);
      await rig.done;
      assert.equal(rig.outcome.error, why);
      const peer = rig.peers.at(-1);
      assert.ok(peer.closedWith === 1000 || rig.told?.retryIn >= 5000);
      rig.heard = [];
      peer.records("A.x", 5);
      await rig.wants(); // nothing is heard any more
    });
  }
  const aborted = new Rig(A);
  await assert.rejects(aborted.client.run({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(aborted.peers.length, 0);
});

test("an abort within a handler", async () => {
  let rig;
  await bubble({ ...A, onDisconnect: () => rig.controller.abort() }, async (r) => {
    rig = r;
    (await rig.live()).drop();
    await rig.done;
    assert.equal(rig.outcome.error.name, "AbortError");
    assert.equal(rig.peers.length, 1);
  });
  let finish;
  const onRecord = ({ pos }) => new Promise((resolve) => {
    finish = resolve;
    if (pos.offset === 12) rig.controller.abort();
  });
  await bubble({ ...A, onRecord }, async (r) => {
    rig = r;
    (await rig.live(at("e", 10))).records("A.x", 11, 12, 13);
    finish();
    await settle();
    assert.equal(rig.outcome, undefined); // it waits for the handler
    finish();
    await rig.done;
    await rig.wantsCursor(at("e", 12));
  });
});

test("only one run", () => bubble({}, async (rig) => {
  await rig.accept();
  await assert.rejects(rig.client.run(), /runs already/);
}));

test("silence is noticed", () => bubble({ ...A, heartbeat: 20_000 }, async (rig) => {
  const p = await rig.live();
  for (let n = 0; n < 10; n++) {
    await tick(20_000);
    assert.deepEqual(p.got.splice(0), [{ type: "heartbeat" }]);
    p.say({ type: "pong", ts: 1, cursor: {} });
  }
  p.bufferedAmount = 1; // nothing leaves any more, nothing is added
  const heard = Date.now();
  while (rig.told === undefined) await tick(1000);
  assert.deepEqual(p.got, []);
  assert.match(rig.told.error.message, /nothing heard for/);
  assert.ok(Date.now() - heard <= 3 * 20_000 + 10_000 + 1000, `${Date.now() - heard}`);
}));

// A clock that is set back tells of no silence: the beats do.
test("silence is noticed although the clock is set back", () => bubble({ ...A, heartbeat: 20_000 }, async (rig) => {
  const p = await rig.live();
  await tick(20_000);
  p.say({ type: "pong", ts: 1, cursor: {} });
  await settle();
  const { now } = Date;
  Date.now = () => now() - 86_400_000;
  await tick(90_000);
  assert.match(rig.told.error.message, /nothing heard for/);
}));

// After a sleep of the machine one beat is enough.
test("a machine that slept notices at once", () => bubble({ ...A, heartbeat: 20_000 }, async (rig) => {
  const p = await rig.live();
  const { now } = Date;
  Date.now = () => now() + 8 * 3_600_000;
  await tick(20_000);
  assert.match(rig.told.error.message, /nothing heard for 288/);
  assert.equal(p.closedWith, 1000);
  await (await rig.accept()).expect("reconnect", "A.x");
}));

test("a server that doesn't greet is left", () => bubble(A, async (rig) => {
  (await rig.silent()).happen("open", {});
  await tick(10_000);
  assert.match(rig.told.error.message, /no greeting/);
}));

for (const [sends, says] of [
  ["{", /no odin\.v1/], ["null", /no object/], ["[]", /no object/], ["7", /no object/], ["{}", /no type/], ["[".repeat(1e6), /no odin\.v1/],
  ['{"type":"message","pos":"t:0:1"}', /no data/],
  ['{"type":"message","pos":"t:0:1","data":1,"encoding":"gzip"}', /unknown encoding/],
  ['{"type":"message","pos":"t:0:1","data":"*","encoding":"base64"}', /data of t:0:1/],
  ['{"type":"message","pos":"t:0:1","data":1,"encoding":"base64"}', /data of t:0:1/],
  ['{"type":"message","pos":"t:4096:1","data":1}', /no position/],
  ['{"type":"message","pos":"t:0:1","data":1,"ts":"noon"}', /ts of message/],
  ['{"type":"message","pos":["t:0:1"],"data":1}', /no position/],
  ['{"type":"gap","pos":"7"}', /no position/], ['{"type":"message","pos":"' + "t".repeat(250) + ':0:1","data":1}', /no position/],
  ['{"type":"message","pos":"t:0:9007199254740993","data":1}', /no position/], // never a neighbour's
  ['{"type":"message","pos":"t:0:9223372036854775807","data":1}', /no position/],
  ['{"type":"pong","cursor":{"t":{"epoch":"e","offsets":[9007199254740993]}}}', /no offset/],
  [`{"type":"pong","cursor":{"t":{"epoch":"e","offsets":[${"1,".repeat(1e6)}1]}}}`, /more than 1024 topics or 4096 partitions/],
  ['{"type":"pong","cursor":{"t":{"epoch":"' + "e".repeat(129) + '"}}}', /an epoch of 129/],
  ['{"type":"reconnect_ack","id":"1","recovered":true,"cursor":{}}', /an answer to no reconnect/],
  ['{"type":"gap","pos":"t:0:1","dropped":1e999}', /dropped of gap/],
  ['{"type":"pong","cursor":{"t":{"epoch":"e","offsets":[-2]}}}', /no offset/],
  ['{"type":"pong","cursor":7}', /no object/],
  ['{"type":"subscription_ack","subscribed":{}}', /subscribed of subscription_ack/],
  ['{"type":"subscription_ack","rejected":[7]}', /no object/],
  [new ArrayBuffer(3), /binary/],
]) {
  test(`a server that sends ${String(sends).slice(0, 80)}`, () => bubble(A, async (rig) => {
    const p = await rig.live();
    p.say(sends);
    await settle();
    assert.match(rig.told.error.message, says);
    assert.deepEqual([rig.told.error.name, p.closedWith, rig.told.final], ["ProtocolError", 4002, false]);
    await rig.accept(); // it tries again
  }));
}

test("what a server says is bounded, and names nothing but data", () => bubble(A, async (rig) => {
  const p = await rig.live(at("e", 1));
  p.say('{"type":"constructor"}');
  p.say('{"type":"pong","cursor":{"__proto__":{"epoch":"e","offsets":[7]}}}');
  p.say('{"type":"message","channel":"A.x","pos":"__proto__:0:8","ts":1,"data":{"__proto__":{"polluted":1}}}');
  await rig.wants("__proto__:0:8 A.x");
  assert.equal({}.polluted, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(rig.client.cursor())).__proto__, { epoch: "e", offsets: [8] });
  for (let n = 0; n < 1100; n++) p.say({ type: "message", channel: "A.x", pos: `t${n}:0:1`, ts: 1, data: 1 });
  await settle();
  assert.match(rig.told.error.message, /more than 1024 topics/);
}));

test("hello comes first", () => bubble(A, async (rig) => {
  const p = await rig.silent();
  p.say({ type: "pong", ts: 1, cursor: {} });
  await rig.wants("disconnected final=false");
  assert.match(rig.told.error.message, /doesn't begin with hello/);
}));

test("a message that is too large ends it", () => bubble({ ...A, messageMax: 1000 }, async (rig) => {
  (await rig.live()).say(" ".repeat(1001));
  await rig.done;
  assert.ok(rig.outcome.error instanceof TooLargeError);
  assert.match(rig.outcome.error.message, /set a larger messageMax/);
}));

test("bad options", () => {
  const good = { onRecord() {}, WebSocket: class {} };
  for (const [url, options, says] of [
    ["http://h/ws", good, /like ws:/], ["ws:///", good, /like ws:/], ["nonsense", good, /like ws:/],
    ["ws://h/ws", { ...good, onRecord: undefined }, /onRecord is needed/], ["ws://h/ws", undefined, /onRecord is needed/],
    ["ws://h/ws", { ...good, last: -1 }, /last is -1/], ["ws://h/ws", { ...good, heartbeat: 2 ** 31 }, /heartbeat is/],
    ["ws://h/ws", { ...good, queueMax: "1" }, /queueMax is 1/], ["ws://h/ws", { ...good, channels: "A.x" }, /channels is no array/],
    ["ws://h/ws", { ...good, channels: [7] }, /channels is no array/], ["ws://h/ws", { ...good, clientId: "ü".repeat(65) }, /at most 128 bytes/], ["ws://h/ws", { ...good, cursor: { t: 7 } }, /no object/],
    ["ws://h/ws", { ...good, WebSocket: null }, /no WebSocket here/],
  ]) assert.throws(() => new Client(url, options), says);
  assert.throws(() => new Client("ws://h/ws", good).subscribe("A.x", 7), /a channel is no string/);
  assert.ok(new CloseError(1001, "") instanceof Error);
});
