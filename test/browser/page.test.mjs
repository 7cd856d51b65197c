// The operator's page in a real browser, served by `odind demo`.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { CHROMIUM, PLAYWRIGHT, FANPUB, ODIND, SEEN, WORK } = process.env;
const { chromium } = createRequire(join(PLAYWRIGHT, "anchor.js"))("playwright-core");
const WAIT = { timeout: 20_000 };

let odind, ready, browser, page;
const complaints = []; // console errors, exceptions, dialogs, foreign requests

function startDemo() {
  odind = spawn(ODIND, ["demo", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--broker-listen", "127.0.0.1:0",
    "--workers", "2", "--rate", "20", "--seed", "1"], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    odind.once("exit", (code) => reject(new Error(`odind ended with ${code}`)));
    createInterface({ input: odind.stdout }).once("line", (line) =>
      resolve(Object.fromEntries(line.split(" ").slice(1).map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)]))));
  });
}

async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, ...options });
  const p = await context.newPage();
  const hosts = new Set([new URL(ready.operator).host, new URL(ready.ws).host]);
  p.on("console", (m) => m.type() === "error" && complaints.push(`console: ${m.text()}`));
  p.on("pageerror", (e) => complaints.push(`exception: ${e}`));
  p.on("dialog", (d) => (complaints.push(`dialog: ${d.message()}`), d.dismiss()));
  p.on("request", (r) => r.url().startsWith("data:") || hosts.has(new URL(r.url()).host) || complaints.push(`request: ${r.url()}`));
  await p.goto(`${ready.operator}/`);
  return p;
}

function produce(key, template) {
  execFileSync(FANPUB, ["--to", "kafka", "--addr", ready.broker, "--topic", "odin.trades", "--key", key, "--template", template,
    "--size", "300", "--rate", "10", "--count", "2"]);
}

const record = (p, text) => p.locator("#records li", { hasText: text }).first();

before(async () => {
  ready = await startDemo();
  browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, env: { ...process.env, HOME: WORK },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"] });
  page = await open({ colorScheme: "light" });
});

after(async () => {
  await browser?.close();
  odind?.kill("SIGKILL");
});

test("the page says that odind is ready, with a row for each worker and topic", async () => {
  await page.locator("#state", { hasText: "ready" }).waitFor(WAIT);
  await page.waitForFunction(() => document.querySelectorAll("#workers tr").length === 2 &&
    document.querySelectorAll("#topics tr").length === 8, null, WAIT);
  const topics = await page.locator("#topics td:first-child").allTextContents();
  assert.ok(topics.includes("odin.trades"), topics.join());
});

test("records reach the feed", async () => {
  await record(page, ".trade").waitFor(WAIT);
  const pos = await page.locator("#records .pos").first().textContent();
  assert.match(pos, /^odin\.trades:\d+:\d+$/);
});

test("deliveries are counted and grow", async () => {
  const count = () => page.locator("#t-deliveries").textContent().then((t) => Number(t.replaceAll(",", "")));
  await page.waitForFunction(() => Number(document.getElementById("t-deliveries").textContent.replaceAll(",", "")) > 0, null, WAIT);
  const first = await count();
  await page.waitForFunction((n) => Number(document.getElementById("t-deliveries").textContent.replaceAll(",", "")) > n, first, WAIT);
  assert.ok(await count() > first);
});

test("what records carry stays text", async () => {
  const values = ['{"v":"<img src=x onerror=globalThis.pwned=1>","n":%s}', "</script><script>globalThis.pwned=2</script> %s",
    '"<svg onload=globalThis.pwned=3>%s"', '{"__proto__":{"pwned":4},"v":"\\u202e%s"}'];
  values.forEach((v) => produce("HOSTILE", v));
  produce("<img/src=x/onerror=globalThis[`pwned`]=5>", '{"k":%s}');
  await record(page, "<img src=x onerror").waitFor(WAIT);
  await record(page, "<svg onload").waitFor(WAIT);
  await record(page, "base64").waitFor(WAIT);
  await record(page, "<img/src=x/onerror=globalThis[`pwned`]=5>.trade").waitFor(WAIT);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.equal(await page.evaluate(() => ({}).pwned), undefined);
  assert.equal(await page.locator("#records img, #records svg, #records script").count(), 0);
  assert.equal(await page.locator("script").count(), 2);
});

test("one subscribes, is told why not, and unsubscribes", async () => {
  await page.fill("#pattern", "no dot");
  await page.click("text=Subscribe");
  await page.locator("#records .note", { hasText: "no dot" }).waitFor(WAIT);
  await page.fill("#pattern", "*.liquidity");
  await page.click("text=Subscribe");
  await record(page, ".liquidity").waitFor(WAIT);
  await page.click("[aria-label='unsubscribe *.trade']");
  await page.click("[aria-label='unsubscribe *.liquidity']");
  assert.equal(await page.locator("#subscriptions li").count(), 0);
});

test("light, dark and a phone", async () => {
  const back = (p) => p.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const seen = {};
  for (const [name, options] of Object.entries({ light: { colorScheme: "light" }, dark: { colorScheme: "dark" },
    phone: { colorScheme: "light", ...phone }, "phone-dark": { colorScheme: "dark", ...phone } })) {
    const p = await open(options);
    await p.waitForFunction(() => document.querySelectorAll("#records li").length >= 20, null, WAIT);
    seen[name] = await back(p);
    const [wide, inner] = await p.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= inner, `${name}: ${wide} px wide in ${inner}`);
    await p.screenshot({ path: join(SEEN, `${name}.png`), fullPage: name !== "phone-dark" });
    await p.context().close();
  }
  assert.notEqual(seen.light, seen.dark);
});

test("nothing complained, and nothing foreign was asked for", () => assert.deepEqual(complaints, []));

test("the page says when odind is gone", async () => {
  const ended = new Promise((resolve) => odind.once("exit", resolve));
  odind.kill("SIGTERM");
  assert.equal(await ended, 0);
  await page.locator("#fault", { hasText: "No status" }).waitFor(WAIT);
  await page.locator("#link", { hasText: "closed" }).waitFor(WAIT);
});
