// 200 sessions that subscribe, hear records and answer for ten seconds. Each
// checks what it hears: the greeting, its acknowledgements, the order of offsets.
import { WebSocket } from "k6/websockets";
import { check } from "k6";
import { Counter, Trend } from "k6/metrics";

const SESSIONS = 200;
const STAY_MS = 10_000;
const HEARTBEAT_MS = 2_000;

const records = new Counter("odin_records");
const disorder = new Counter("odin_disorder");
const early = new Counter("odin_closed_early");
const latency = new Trend("odin_record_age_ms");
const greeted = new Trend("odin_hello_ms");

export const options = {
  scenarios: { sessions: { executor: "per-vu-iterations", vus: SESSIONS, iterations: 1, maxDuration: "60s" } },
  thresholds: {
    checks: ["rate==1"],
    // 60 records/s, a third of them trades, for ten seconds: half of it is asked for.
    odin_records: [`count>${(SESSIONS * 20 * STAY_MS) / 1000 / 2}`],
    odin_disorder: ["count==0"],
    odin_closed_early: ["count==0"],
    odin_record_age_ms: ["p(99)<2000"],
    odin_hello_ms: ["p(95)<2000"],
  },
};

export default function session() {
  const began = Date.now();
  const last = {}; // partition → offset
  const heard = { hello: 0, ack: 0, pong: 0, message: 0, error: 0 };
  const socket = new WebSocket(__ENV.ODIN_DEMO_WS, "odin.v1");
  let leaving = false;

  const send = (type, data) => socket.send(JSON.stringify({ type, id: `${__VU}-${type}`, data }));
  const handlers = {
    hello: () => {
      heard.hello++;
      greeted.add(Date.now() - began);
      send("subscribe", { channels: ["*.trade", "no dot"] });
    },
    subscription_ack: (m) => {
      heard.ack++;
      check(m, {
        "one channel is taken, one refused with its reason": () => m.subscribed.length === 1 && m.count === 1 &&
          m.rejected.length === 1 && m.rejected[0].code === "bad_channel",
        "the answer has the request's id": () => m.id === `${__VU}-subscribe`,
      });
    },
    pong: () => heard.pong++,
    message: (m) => {
      heard.message++;
      records.add(1);
      latency.add(Math.max(0, Date.now() - m.ts));
      const [, partition, offset] = /^(.+:\d+):(\d+)$/.exec(m.pos);
      if (last[partition] !== undefined && Number(offset) <= last[partition]) disorder.add(1);
      last[partition] = Number(offset);
    },
    error: () => heard.error++,
  };

  socket.onopen = () => {
    const beat = setInterval(() => send("heartbeat"), HEARTBEAT_MS);
    setTimeout(() => {
      clearInterval(beat);
      leaving = true;
      socket.close(1000);
    }, STAY_MS);
  };
  socket.onmessage = (e) => {
    const m = JSON.parse(e.data);
    if (handlers[m.type]) handlers[m.type](m);
  };
  socket.onclose = () => {
    if (!leaving) early.add(1);
    check(heard, {
      "greeted once": () => heard.hello === 1,
      "acknowledged once": () => heard.ack === 1,
      "every heartbeat answered": () => heard.pong >= STAY_MS / HEARTBEAT_MS - 2,
      "records came": () => heard.message > 0,
      "no error": () => heard.error === 0,
    });
  };
}
