// Steady fan-out: all sessions hear the same channels from beginning to end.
import { arrive, crowd } from "./lib/crowd.js";
import { thresholds } from "./lib/metrics.js";
import { EXACT, SESSIONS, STAY_MS, channel } from "./lib/sizes.js";

export const options = {
  scenarios: { fanout: crowd },
  thresholds: thresholds(SESSIONS, {
    load_sessions_whole: [`count==${SESSIONS}`],
    load_records: [`count>=${SESSIONS}`],
    load_gap_notices: ["count==0"], // who reads all at once is not slow
  }),
};

export default function fanout() {
  arrive({ exact: EXACT }, (session, i) => {
    session.onopen = () => {
      session.subscribe([channel(i)]);
      session.every(2_000, () => session.ask("heartbeat", {}));
      session.until(STAY_MS);
    };
  });
}
