// odind and a broker as real processes, for tests of what clients live through.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { group, owned } from "./harness.mjs";

const { ODIN_BIN, KFAKED } = process.env;
const SPAWN = { stdio: ["ignore", "pipe", "pipe"], detached: true };

const started = new Set();
process.on("exit", () => started.forEach(kill));

// kill ends a process and all that it has started.
function kill(child) {
  started.delete(child);
  try { process.kill(-child.pid, "SIGKILL"); } catch {} // it has ended
}

// start runs a program in a process group of its own, until a line of its
// output says that it is ready.
export function start(program, args, line) {
  const child = spawn(program, args, SPAWN);
  started.add(child);
  const strike = group(child.pid);
  child.ended = new Promise((resolve) => child.once("exit", (code) => (started.delete(child), strike(), resolve(code))));
  let log = "";
  return new Promise((resolve, reject) => {
    child.ended.then((code) => reject(new Error(`${program} ended with ${code}: ${log}`)));
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (text) => {
        log = (log + text + "\n").slice(-4000);
        const m = line.exec(text);
        if (m) resolve([child, m]);
      });
    }
  });
}

// Odind is `odind demo`, whose broker ends with it, or with { broker: true } an
// odind beside a broker that stays. It is started anew at the same address.
export class Odind {
  static async start({ broker = false, rate = 0 } = {}) {
    const o = Object.assign(new Odind(), { rate, dir: mkdtempSync(join(tmpdir(), "odin-js-")), listen: "127.0.0.1:0" });
    o.forget = owned(() => o.end());
    if (broker) {
      const [child, m] = await start(KFAKED, ["-port", "0"], /listening on \[(\S+)\]/);
      Object.assign(o, { kfaked: child, broker: m[1] });
    }
    await o.again();
    return o;
  }

  // again starts it. Workers that were killed may hold its port for a moment.
  async again() {
    for (const end = Date.now() + 30_000; ;) {
      try {
        return await this.begin();
      } catch (error) {
        if (Date.now() > end || !error.message.includes("address already in use")) throw error;
      }
    }
  }

  async begin() {
    const args = ["--listen", this.listen, "--operator-listen", "127.0.0.1:0", "--runtime-dir", join(this.dir, "run"), "--workers", "2"];
    const [child, m] = this.kfaked
      ? await start(join(ODIN_BIN, "odind"), [...args, "--brokers", this.broker], /^ready (.*)/)
      : await start(join(ODIN_BIN, "odind"), ["demo", "--rate", String(this.rate), "--broker-listen", "127.0.0.1:0", ...args], /^ready (.*)/);
    const ready = Object.fromEntries(m[1].split(" ").map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)]));
    Object.assign(this, { child, ws: ready.ws, listen: new URL(ready.ws).host, broker: ready.broker ?? this.broker });
  }

  odinctl(...args) {
    const input = args.at(-1)?.input;
    const words = args.filter((a) => typeof a === "string");
    return execFileSync(join(ODIN_BIN, "odinctl"), [...words, "--runtime-dir", join(this.dir, "run")], { input, encoding: "utf8", timeout: 60_000, stdio: ["pipe", "pipe", "pipe"] });
  }

  // publish produces trades numbered from the first on, and tells their places.
  publish(first, n) {
    const input = Array.from({ length: n }, (_, i) => `K${(first + i) % 7} {"n":${first + i}}\n`).join("");
    return this.odinctl("publish", "odin.trades", "-", "--brokers", this.broker, { input });
  }

  worker(slot) { return JSON.parse(this.odinctl("status", "--json")).workers.find((w) => w.slot === slot); }

  // kill ends all of odind at once, as a machine that loses power does.
  async kill() {
    const { pid, workers } = JSON.parse(this.odinctl("status", "--json"));
    for (const end of [pid, ...workers.map((w) => w.pid)]) process.kill(end, "SIGKILL");
    await this.child.ended;
  }

  async stop() {
    this.child.kill("SIGTERM");
    const code = await this.child.ended;
    this.end();
    return code;
  }

  end() {
    this.forget();
    for (const child of [this.child, this.kfaked]) if (child) kill(child);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
