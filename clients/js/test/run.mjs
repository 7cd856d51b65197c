// node run.mjs FILE...
// Runs files of tests, one after the other, and prints TAP without its noise.
// It ends whatever they do: a file has FILE_MAX, all of them have RUN_MAX. Then,
// and where a test's process was killed, it says which test hung; and it ends
// the processes that were left, and removes their files.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const FILE_MAX = Number(process.env.FILE_MAX ?? 300_000); // ms
const RUN_MAX = Number(process.env.RUN_MAX ?? 540_000);

// Node has a WebSocket of its own from 22 on, before behind a flag.
const flags = typeof WebSocket === "function" ? [] : ["--experimental-websocket"];
const live = mkdtempSync(join(tmpdir(), "odin-live-"));

const kill = (pid) => { try { process.kill(-pid, "SIGKILL"); } catch {} }; // it has ended

const child = spawn(process.execPath, [...flags, "--test", "--test-concurrency=1", "--test-force-exit", `--test-timeout=${FILE_MAX}`, "--test-reporter=tap", ...process.argv.slice(2)],
  { env: { ...process.env, ODIN_TEST_LIVE: live, TMPDIR: live }, stdio: ["ignore", "pipe", "inherit"], detached: true });
const impatience = setTimeout(() => {
  console.log(`not done within ${RUN_MAX} ms`);
  kill(child.pid);
}, RUN_MAX);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => kill(child.pid));

let [passed, failed] = [0, 0];
createInterface({ input: child.stdout }).on("line", (line) => {
  passed = Number(/^# pass (\d+)$/.exec(line)?.[1] ?? passed);
  if (/^ *not ok /.test(line)) failed++; // hooks and whole files, too
  if (line.trim() !== "" && !/^ *# Subtest/.test(line)) console.log(line);
});

child.once("close", (code) => {
  clearTimeout(impatience);
  const left = readdirSync(live);
  const hung = left.filter((name) => name.startsWith("running-")).map((name) => readFileSync(join(live, name), "utf8"));
  for (const name of left) if (name.startsWith("group-")) kill(Number(name.slice("group-".length)));
  rmSync(live, { recursive: true, force: true, maxRetries: 5 });
  for (const test of hung) console.log(`hung: ${test}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = code === 0 && hung.length === 0 ? 0 : 1;
});
