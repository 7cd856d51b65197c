// Subscribe churn: every session learns the names of channels from what it hears,
// then takes some and gives up others, all the time. No record may come of a
// channel that it has given up.
import { arrive, crowd } from "./lib/crowd.js";
import { thresholds } from "./lib/metrics.js";
import { SESSIONS, STAY_MS, channel } from "./lib/sizes.js";

const EVERY_MS = 200;
const AT_ONCE = 3;

export const options = {
  scenarios: { churn: crowd },
  thresholds: thresholds(SESSIONS, {
    load_sessions_whole: [`count==${SESSIONS}`],
    load_records: [`count>=${SESSIONS}`],
    load_answers: [`count>=${3 * SESSIONS}`], // the first, a change, the last
  }),
};

export default function churn() {
  arrive({}, (session, i) => {
    const names = new Set();
    session.onrecord = (name) => names.add(name);
    session.onopen = () => {
      session.subscribe([channel(i)]);
      session.every(EVERY_MS, () => {
        if (names.size > 0 && session.asked.size === 0) change(session, names, channel(i));
      });
      session.until(STAY_MS);
    };
  });
}

// change what the session has: first the pattern that told it the names, then
// some of these, at random.
function change(session, names, pattern) {
  if (session.channels.has(pattern)) {
    session.ask("unsubscribe", { channels: [pattern] });
    return;
  }
  const some = [...names].sort(() => Math.random() - 0.5).slice(0, AT_ONCE);
  const has = some.filter((name) => session.channels.has(name));
  const hasNot = some.filter((name) => !session.channels.has(name));
  if (has.length > 0) session.ask("unsubscribe", { channels: has });
  if (hasNot.length > 0) session.subscribe(hasNot, 2);
}
