// The harness itself: whatever a test does, its file ends, it is said which test
// it was, and no process is left.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "./harness.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

// Each begins with a process, a server and a connection that nobody ends.
const BEGIN = `
import { writeFileSync } from "node:fs";
import { start } from ${JSON.stringify(here("odind.mjs"))};
import { Raw } from ${JSON.stringify(here("raw.mjs"))};
import { after, before, suite, test } from ${JSON.stringify(here("harness.mjs"))};
async function begin() {
  const [child] = await start("sh", ["-c", "echo ready; sleep 600 & wait"], /ready/);
  writeFileSync(process.env.PID_FILE, String(child.pid));
  const raw = await Raw.start([]);
  const socket = new WebSocket(raw.ws, ["odin.v1"]);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
}
`;

// alive tells whether a process group has members that are more than zombies.
function alive(pid) {
  try { process.kill(-pid, 0); } catch { return false; }
  try { return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")); } catch { return true; }
}

async function runs(work, code, env) {
  const [file, pidFile] = [join(work, "bad.test.mjs"), join(work, "pid")];
  writeFileSync(file, BEGIN + code);
  const child = spawn(process.execPath, [here("run.mjs"), file], { env: { ...process.env, NODE_TEST_CONTEXT: undefined, PID_FILE: pidFile, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text) => { said += text; });
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { said, status, pid: Number(readFileSync(pidFile, "utf8")) };
}

for (const [name, code, env, says] of [
  ["fails", 'test("bad", async () => { await begin(); throw new Error("it fails"); });', {}, [/it fails/, /not ok 1 - bad/, /1 passed, 1 failed/]],
  ["fails in a hook", 'suite("s", () => { before(async () => { await begin(); throw new Error("it fails"); }); test("bad", () => {}); });', {}, [/it fails/]],
  ["fails behind a hook", 'suite("s", () => { before(begin); after(() => { throw new Error("not reached the end"); }); test("bad", () => { throw new Error("it fails"); }); });', {}, [/it fails/, /not ok 1 - bad/]],
  ["waits for ever", 'test("bad", { timeout: 2000 }, async () => { await begin(); await new Promise(() => {}); });', {}, [/not ok 1 - bad/, /timed out after 2000ms/, /1 passed, 1 failed/]],
  ["spins for ever", 'test("bad", async () => { await begin(); for (;;); });', { FILE_MAX: "10000" }, [/hung: bad\.test\.mjs: bad/]],
  ["spins longer than all have", 'test("bad", async () => { await begin(); for (;;); });', { RUN_MAX: "10000" }, [/not done within 10000 ms/, /hung: bad\.test\.mjs: bad/]],
]) {
  test(`a test that ${name}`, async () => {
    const work = mkdtempSync(join(tmpdir(), "odin-harness-"));
    try {
      const { said, status, pid } = await runs(work, `${code}\ntest("good", () => {});`, env);
      assert.equal(status, 1, said);
      for (const what of says) assert.match(said, what);
      assert.ok(!alive(pid), `${pid} is left behind: ${said}`);
    } finally {
      rmSync(work, { recursive: true });
    }
  });
}
