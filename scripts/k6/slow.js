// Slow readers beside quick ones. The slow ones take a record every 20 ms, so that
// their routes' policy acts: what is dropped must be told, to the record; who is
// closed is closed for being slow. The quick ones must not notice.
import { sleep } from "k6";
import ws from "k6/ws"; // reads the next message only when this one is dealt with, unlike k6/websockets
import exec from "k6/execution";
import { arrive, crowd } from "./lib/crowd.js";
import { thresholds } from "./lib/metrics.js";
import { Session } from "./lib/session.js";
import { EXACT, SESSIONS, SLOW, STAY_MS, URL, channel } from "./lib/sizes.js";

const PAUSE_S = 0.02;

// The demo that run.sh starts for this has a route of each policy: all must act.
const acted = { load_gap_notices: ["count>0"], load_sessions_slow_closed: ["count>0"] };

export const options = {
  scenarios: {
    quick: { ...crowd, exec: "quick" },
    slow: { ...crowd, vus: SLOW, exec: "slow" },
  },
  thresholds: thresholds(SESSIONS + SLOW, {
    "load_sessions_whole{scenario:quick}": [`count==${SESSIONS}`],
    "load_gap_notices{scenario:quick}": ["count==0"],
    load_records: [`count>=${SESSIONS}`],
    ...(EXACT ? acted : {}),
  }),
};

export function quick() {
  arrive({ exact: EXACT }, (session, i) => {
    session.onopen = () => {
      session.subscribe([channel(i)]);
      session.until(STAY_MS);
    };
  });
}

export function slow() {
  const end = Date.now() + STAY_MS;
  let broken = false; // cut off: so ends who can't even take the close frame
  ws.connect(URL, { headers: { "Sec-WebSocket-Protocol": "odin.v1" } }, (socket) => {
    const session = new Session({ send: (text) => socket.send(text), close: () => socket.close(1000) }, { exact: EXACT, slow: true });
    socket.on("open", () => session.subscribe([channel(exec.scenario.iterationInTest)]));
    socket.on("message", (text) => {
      session.hear(text);
      if (Date.now() < end) sleep(PAUSE_S);
      else session.leave();
    });
    socket.on("error", () => (broken = true));
    socket.on("close", (code) => session.closed(broken && code !== 4000 ? undefined : code));
  });
}
