// What the sessions count. A fault of any kind fails the run; a time never does.
import { Counter, Trend } from "k6/metrics";

// Nearly all sessions are greeted: what k6/websockets reads before it has called a
// socket open, it throws away, and Odin speaks first.
export const greetings = new Counter("load_greetings");
// Sessions that got all their answers, not more than one greeting, and left when they wanted to.
export const whole = new Counter("load_sessions_whole");
// Slow sessions that the server closed for being slow: their route's policy.
export const slowClosed = new Counter("load_sessions_slow_closed");
export const records = new Counter("load_records");
export const gaps = new Counter("load_gap_notices");
export const dropped = new Counter("load_gap_records");
export const answers = new Counter("load_answers");

export const faults = {
  disorder: new Counter("load_fault_disorder"), // a position not above the one before, in its partition
  missing: new Counter("load_fault_missing"), // records left out, or told as left out, that were not the same number
  lost: new Counter("load_fault_lost"), // resets that told of lost records
  cursor: new Counter("load_fault_cursor"), // a cursor behind what was sent
  stray: new Counter("load_fault_stray"), // a record of a channel that isn't subscribed
  answer: new Counter("load_fault_answer"), // an answer that no request fits, or that says something else
  error: new Counter("load_fault_error"), // a request refused
  close: new Counter("load_fault_close"), // a connection refused, broken or closed by the server
};

export const age = new Trend("load_record_age_ms"); // since the record's timestamp: both clocks must agree
export const hello = new Trend("load_hello_ms"); // from connecting to the greeting
export const answered = new Trend("load_answer_ms");

// thresholds for so many sessions: no fault, and more if told so.
export function thresholds(sessions, more) {
  const none = Object.values(faults).map((fault) => [fault.name, ["count==0"]]);
  return { ...Object.fromEntries(none), load_greetings: [`count>=${0.9 * sessions}`], ...more };
}
