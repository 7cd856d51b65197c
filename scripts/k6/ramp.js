// Connect ramp: all sessions come within the ramp, and stay. Each subscribes to a
// channel of its own, so that what is measured are connections, not records.
import { arrive, crowd } from "./lib/crowd.js";
import { thresholds } from "./lib/metrics.js";
import { SESSIONS, STAY_MS } from "./lib/sizes.js";

export const options = {
  scenarios: { ramp: crowd },
  thresholds: thresholds(SESSIONS, { load_sessions_whole: [`count==${SESSIONS}`] }),
};

export default function ramp() {
  arrive({}, (session, i) => {
    session.onopen = () => {
      session.subscribe([`K6-${i}.load`, "no dot"]); // the second is refused, in words
      session.every(5_000, () => session.ask("heartbeat", {}));
      session.until(STAY_MS);
    };
  });
}
