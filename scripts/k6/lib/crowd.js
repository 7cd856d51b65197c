// Many sessions, some to each of k6's virtual users: one user holds many sockets.
import exec from "k6/execution";
import { WebSocket } from "k6/websockets";
import { PATIENCE_MS, RAMP_MS, SESSIONS, STAY_MS, URL } from "./sizes.js";
import { Session } from "./session.js";

const EACH = 20; // sessions to a user

// crowd is the k6 scenario of all sessions.
export const crowd = {
  executor: "per-vu-iterations",
  vus: Math.ceil(SESSIONS / EACH),
  iterations: 1,
  maxDuration: `${RAMP_MS + STAY_MS + PATIENCE_MS}ms`,
  gracefulStop: "0s",
};

// arrive has the sessions of this user come one after the other over the ramp,
// and calls begin(session, number) for each.
export function arrive(settings, begin) {
  const first = exec.scenario.iterationInTest * EACH;
  for (let i = first; i < Math.min(first + EACH, SESSIONS); i++) {
    setTimeout(() => begin(connect(settings), i), (i / SESSIONS) * RAMP_MS);
  }
}

function connect(settings) {
  const socket = new WebSocket(URL, "odin.v1");
  const timers = [];
  const session = new Session({ send: (text) => socket.send(text), close: () => socket.close(1000) }, settings);
  session.every = (ms, what) => timers.push(setInterval(what, ms));
  session.until = (ms) => timers.push(setTimeout(() => session.leave(), ms));
  socket.onopen = () => session.onopen();
  socket.onmessage = ({ data }) => session.hear(data);
  socket.onerror = ({ error }) => console.error(error);
  socket.onclose = ({ code }) => {
    timers.forEach(clearInterval);
    session.closed(code);
  };
  return session;
}
