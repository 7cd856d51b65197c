// What tests are declared with in place of node:test: none of them waits for
// ever, and what a test has started ends with it, whatever becomes of it.
// run.mjs ends what is left where not even this file is reached any more.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as runner from "node:test";
import { basename, join } from "node:path";

const TEST_MAX = 120_000; // ms; for a hook, too
const END_MAX = 10_000; // ms for one thing to end by itself

const { ODIN_TEST_LIVE: live } = process.env; // run.mjs looks there
const running = live && join(live, `running-${process.pid}`);
if (live) mkdirSync(live, { recursive: true });

const file = new Set(); // what hooks have started
let scope = file;

// owned takes what ends something. It gives what forgets it, since it has ended.
export function owned(end) {
  const mine = scope;
  mine.add(end);
  return () => mine.delete(end);
}

async function endAll(mine) {
  for (const end of [...mine].reverse()) {
    mine.delete(end);
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, END_MAX); });
    try { await Promise.race([end(), late]); } catch {} // the test has said what is wrong
    clearTimeout(timer);
  }
}

// bounded makes the arguments for the runner, for which a name is a note.
function bounded(name, options, f) {
  if (typeof options === "function") [options, f] = [{}, options];
  return [name, { timeout: TEST_MAX, ...options }, async (t) => {
    const [mine, outer] = [new Set(), scope];
    scope = mine;
    if (running) writeFileSync(running, `${basename(process.argv[1])}: ${name}`);
    try {
      return await f(t);
    } finally {
      scope = outer;
      if (running) rmSync(running, { force: true });
      await endAll(mine);
    }
  }];
}

export const test = (name, options, f) => runner.test(...bounded(name, options, f));
export const before = (f) => runner.before(f, { timeout: TEST_MAX });
export const after = (f) => runner.after(f, { timeout: TEST_MAX });
export const { mock, suite } = runner;

// group takes down a process group that has begun, and gives what strikes it out.
export function group(pid) {
  if (!live) return () => {};
  const name = join(live, `group-${pid}`);
  writeFileSync(name, "");
  return () => rmSync(name, { force: true });
}
