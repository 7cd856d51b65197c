// docs/RECOVERY.md tells how to resume without a library: a client of nothing
// but what stands there does so, beside a real odind.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "./harness.mjs";
import { Odind } from "./odind.mjs";

const page = readFileSync(new URL("../../../docs/RECOVERY.md", import.meta.url), "utf8");
const code = (language) => [...page.matchAll(new RegExp(`^ *\`\`\`${language}\n(.*?)^ *\`\`\``, "gms"))].map(([, text]) => text);

// Keeper is the page's script, with what it has as `cursor` to look at.
function keeper(kept) {
  const [script, ...more] = code("js");
  assert.equal(more.length, 0);
  return new Function("localStorage", `${script}\nreturn { hear, cursor: () => cursor };`)({ getItem: () => kept });
}

test("the page's cursor moves as the page says", () => {
  const k = keeper(null);
  k.hear({ type: "message", pos: "t:0:1" });
  assert.equal(k.cursor(), null);
  k.hear({ type: "subscription_ack", cursor: { t: { epoch: "e", offsets: [5, null] }, "u:v": { epoch: "f", offsets: [-1] } } });
  for (const pos of ["t:0:4", "t:1:0", "t:3:7", "u:v:0:9"]) k.hear({ type: "message", pos });
  assert.deepEqual(k.cursor(), { t: { epoch: "e", offsets: [5, 0, -1, 7] }, "u:v": { epoch: "f", offsets: [9] } });
  k.hear({ type: "reset", cursor: { t: { epoch: "g", offsets: [-1] } } });
  assert.deepEqual(k.cursor(), { t: { epoch: "g", offsets: [-1] }, "u:v": { epoch: "f", offsets: [9] } });
  assert.deepEqual(keeper('{"t":{"epoch":"e","offsets":[1]}}').cursor(), { t: { epoch: "e", offsets: [1] } });
});

// talk sends requests, each behind the message that it follows, and gives all
// messages up to one that ends it.
function talk(ws, steps, last) {
  const socket = new WebSocket(ws);
  const heard = [];
  return new Promise((resolve, reject) => {
    socket.onerror = reject;
    socket.onclose = ({ code, reason }) => reject(new Error(`closed with ${code} ${reason}: ${JSON.stringify(heard)}`));
    socket.onmessage = ({ data }) => {
      const m = JSON.parse(data);
      heard.push(m);
      if (steps[m.type]) socket.send(JSON.stringify(steps[m.type]));
      if (last(m, heard)) {
        socket.close();
        resolve(heard);
      }
    };
  });
}

test("a client without a library resumes", { timeout: 120_000 }, async () => {
  const odind = await Odind.start();
  const request = code("json").map((text) => JSON.parse(text.replaceAll("…", ""))).find((m) => m.type === "reconnect");
  assert.deepEqual(Object.keys(request.data), ["channels", "cursor"]);
  const answer = code("json").map((text) => JSON.parse(text.replaceAll("…", ""))).find((m) => m.type === "reconnect_ack");
  request.data.channels = ["*.trade"];

  const first = keeper(null);
  const subscribe = { type: "subscribe", id: "1", data: { channels: ["*.trade"] } };
  const heard = await talk(odind.ws, { hello: subscribe }, (m, all) => {
    if (m.type === "subscription_ack") odind.publish(0, 10);
    return all.filter((x) => x.type === "message").length === 10;
  });
  heard.forEach(first.hear);
  odind.publish(10, 10);
  const second = keeper(JSON.stringify(first.cursor()));
  request.data.cursor = second.cursor();
  // What odind has not fetched yet when it answers comes live, behind the answer.
  const acked = (all) => all.findIndex((m) => m.type === "reconnect_ack");
  const missed = await talk(odind.ws, { hello: request }, (_, all) => acked(all) >= 0 && all.length === 12);
  missed.forEach(second.hear);
  const records = missed.filter((m) => m.type === "message");
  assert.deepEqual(records.map((m) => m.data.n).sort((a, b) => a - b), Array.from({ length: 10 }, (_, n) => n + 10));
  const { recovered, messages_replayed } = missed[acked(missed)];
  assert.deepEqual([recovered, messages_replayed], [true, acked(missed) - 1]);

  // What the page says of topics and partitions that a cursor lacks.
  const { epoch, offsets } = second.cursor()["odin.trades"];
  const cursors = [
    [{}, true, 0], [{ gone: { epoch: "e", offsets: [7] }, "odin.trades": { epoch, offsets } }, true, 0],
    [{ "odin.trades": { epoch, offsets: [] } }, true, 20], [{ "odin.trades": { epoch, offsets: offsets.map(() => -1) } }, true, 20],
    [{ "odin.trades": { epoch, offsets: offsets.map((o, p) => (p === 0 ? null : o)) } }, false, 0],
  ];
  for (const [cursor, recovered, records] of cursors) {
    const all = await talk(odind.ws, { hello: { ...request, data: { ...request.data, cursor } } }, (_, all) => acked(all) >= 0 && all.length === 2 + records);
    const ack = all[acked(all)];
    assert.deepEqual([ack.recovered, ack.reason], [recovered, recovered ? undefined : "unavailable"], JSON.stringify(cursor));
    assert.equal(Object.hasOwn(ack.cursor, "gone"), false);
    if (recovered) assert.deepEqual(Object.keys(ack).sort(), Object.keys(answer).sort());
  }

  const refused = await talk(odind.ws, { hello: { ...request, data: { ...request.data, cursor: { "odin.trades": { epoch: "another", offsets: [3] } } } } }, (m) => m.type === "reconnect_ack");
  assert.deepEqual(refused.map((m) => m.type), ["hello", "reconnect_ack"]); // not a single record
  assert.deepEqual([refused[1].recovered, refused[1].reason], [false, "epoch"]);
  assert.equal(await odind.stop(), 0);
});
