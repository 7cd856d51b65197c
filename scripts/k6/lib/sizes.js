// The sizes of a run, from the environment: `scripts/k6/run.sh --help` explains each.

function number(name, fallback) {
  const value = __ENV[name] ? Number(__ENV[name]) : fallback;
  if (!(value > 0)) throw new Error(`${name}=${__ENV[name]}: a number above 0 is wanted`);
  return value;
}

export const URL = __ENV.ODIN_LOAD_URL;
export const SESSIONS = Math.ceil(number("ODIN_LOAD_SESSIONS", 500));
export const SLOW = Math.ceil(number("ODIN_LOAD_SLOW", Math.max(3, SESSIONS / 10)));
export const STAY_MS = 1000 * number("ODIN_LOAD_SECONDS", 20);
export const RAMP_MS = 1000 * number("ODIN_LOAD_RAMP_SECONDS", 5);
export const PATIENCE_MS = 1000 * number("ODIN_LOAD_PATIENCE_SECONDS", 60);
export const EXACT = __ENV.ODIN_LOAD_EXACT === "1";

const channels = (__ENV.ODIN_LOAD_CHANNELS || "*.trade").split(",");

// channel of the session with this number: they take turns.
export const channel = (i) => channels[i % channels.length];
