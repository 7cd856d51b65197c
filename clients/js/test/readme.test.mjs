// The examples of both clients' READMEs, as they stand there but for the address,
// beside `odind demo`; those of JavaScript with the package that npm makes.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseCursor } from "../odin.js";
import { launch } from "./drivers.mjs";
import { after, before, suite, test } from "./harness.mjs";
import { Odind } from "./odind.mjs";

const clients = fileURLToPath(new URL("../..", import.meta.url));
const flags = typeof WebSocket === "function" && !process.execArgv.includes("--experimental-websocket") ? [] : ["--experimental-websocket"];

// examples are the code blocks of a README in a language.
function examples(readme, language) {
  const text = readFileSync(join(clients, readme), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code);
}

suite("READMEs", { timeout: 240_000 }, () => {
  let demo, work;
  const at = (code) => {
    assert.match(code, /wss?:\/\/(127\.0\.0\.1:3001|odin\.example)\/ws/);
    return code.replace(/wss?:\/\/(127\.0\.0\.1:3001|odin\.example)\/ws/, demo.ws);
  };
  before(async () => {
    demo = await Odind.start({ rate: 50 });
    work = mkdtempSync(join(tmpdir(), "odin-readme-"));
    const installed = join(work, "node_modules/@odin-ws/client");
    mkdirSync(installed, { recursive: true });
    execFileSync("npm", ["pack", "--silent", "--pack-destination", work, join(clients, "js")]);
    execFileSync("tar", ["xzf", join(work, `odin-ws-client-${JSON.parse(readFileSync(join(clients, "js/package.json"))).version}.tgz`), "-C", installed, "--strip-components=1"]);
  });
  after(async () => {
    assert.equal(await demo.stop(), 0);
    rmSync(work, { recursive: true });
  });

  // runs starts a program, waits for what it says, interrupts it, and wants a
  // clean end. It gives its output.
  async function runs(program, args, says) {
    const child = spawn(program, args, { cwd: work, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    const ended = once(child, "exit");
    const heard = new Promise((resolve) => {
      for (const [name, output] of [["out", child.stdout], ["err", child.stderr]]) {
        output.on("data", (text) => { said[name] += text; if (says(said)) resolve(); });
      }
    });
    await Promise.race([heard, ended.then(([code]) => assert.fail(`${program} ended with ${code}: ${said.out}${said.err}`))]);
    child.kill("SIGINT");
    assert.deepEqual(await ended, [0, null], said.err);
    return said;
  }

  const lines = (n) => ({ out }) => out.split("\n").length > n;
  const TRADE = /^odin\.trades:\d+:\d+ [A-Z0-9]+\.trade \{.*\}$/;

  // keeps runs a program twice: the second time it goes on where it was.
  async function keeps(program, args, recovered) {
    const kept = join(work, "cursor.json");
    rmSync(kept, { force: true });
    const first = await runs(program, args, lines(5));
    assert.match(first.out.split("\n")[0], TRADE);
    assert.ok(parseCursor(readFileSync(kept, "utf8"))["odin.trades"].offsets.length > 0);
    const second = await runs(program, args, (said) => lines(5)(said) && recovered.test(said.err));
    const had = new Set(first.out.split("\n"));
    for (const line of second.out.split("\n")) assert.ok(line === "" || !had.has(line), `again: ${line}`);
  }

  test("Node", async () => {
    const [main, old, ...more] = examples("js/README.md", "js");
    assert.equal(more.length, 0);
    writeFileSync(join(work, "main.mjs"), at(main));
    await keeps(process.execPath, [...flags, "main.mjs"], /^recovered: \d+ records$/m);
    assert.ok(!existsSync(join(work, "cursor.json.new")));

    mkdirSync(join(work, "node_modules/ws"), { recursive: true }); // what the package ws takes, by the WebSocket that is here
    writeFileSync(join(work, "node_modules/ws/package.json"), '{"name":"ws","type":"module","main":"ws.js"}');
    writeFileSync(join(work, "node_modules/ws/ws.js"), "export default class extends WebSocket { constructor(url, protocols, { headers }) { super(url, { protocols, headers }); } }");
    writeFileSync(join(work, "old.mjs"), `process.once("SIGINT", () => process.exit(0));\n${at(old)}`);
    const { out } = await runs(process.execPath, [...flags, "old.mjs"], lines(3));
    assert.equal(JSON.parse(out.split("\n")[0]).type, "message");
  });

  test("a page", async () => {
    const [page, ...more] = examples("js/README.md", "html");
    assert.equal(more.length, 0);
    const server = createServer(({ url }, answer) => {
      answer.setHeader("Content-Type", url === "/odin.js" ? "text/javascript" : "text/html; charset=utf-8");
      answer.end(url === "/odin.js" ? readFileSync(join(work, "node_modules/@odin-ws/client/odin.js")) : at(page));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const browser = await launch();
    try {
      const tab = await browser.newPage();
      const said = [];
      tab.on("console", (m) => said.push(m.text()));
      tab.on("pageerror", (error) => said.push(String(error)));
      await tab.goto(`http://127.0.0.1:${server.address().port}/`);
      for (const load of ["first", "second"]) {
        await tab.waitForFunction(() => document.querySelectorAll("li").length >= 5, undefined, { timeout: 60_000 });
        assert.match(await tab.locator("li").first().textContent(), /^[A-Z0-9]+\.trade \{/);
        assert.equal(await tab.evaluate(() => sessionStorage.getItem("cursor") !== null), load === "second");
        if (load === "first") await tab.reload();
      }
      assert.deepEqual(said.filter((line) => !line.includes("favicon") && !line.includes("404")), []);
    } finally {
      await browser.close();
      server.close();
    }
  });

  test("Go", async () => {
    const [main, ...more] = examples("go/README.md", "go");
    assert.equal(more.length, 0);
    const [source, program] = [join(work, "main.go"), join(work, "example")];
    writeFileSync(source, at(main));
    execFileSync("go", ["build", "-o", program, source], { cwd: clients, stdio: "inherit" });
    await keeps(program, [], /recovered: true +, \d+ records/);
  });
});
