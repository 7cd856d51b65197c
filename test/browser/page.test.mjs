// The status page in a real browser, served by `odind demo`.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { LOOKS, PHONE, WAIT, client, end, faint, fits, isLive, launch, leave, number, open, start, text, unnamed, until } from "./browse.mjs";

const { FANPUB, ODIND, SEEN } = process.env;
let odind, ready, browser, page;
const complaints = [];
const sockets = [];

const demo = (listen, operator, broker) => start(ODIND, ["demo", "--listen", listen, "--operator-listen", operator, "--broker-listen", broker,
  "--workers", "2", "--rate", "40", "--seed", "1"]);
const host = (address) => new URL(address).host;
const record = (p, words) => p.locator("#records li", { hasText: words }).first();
const publish = (...more) => ["--to", "kafka", "--addr", ready.broker, "--topic", "odin.trades", ...more];

function produce(key, template) {
  execFileSync(FANPUB, publish("--key", key, "--template", template, "--size", "300", "--rate", "10", "--count", "2"));
}

async function metric(name) {
  const answer = await fetch(`${ready.operator}/metrics`);
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(await answer.text())[1]);
}

async function untilMetric(name, value) {
  for (let last = NaN, left = 300; last !== value; left--) {
    assert.ok(left > 0, `${name} is ${last}, not ${value}`);
    last = await metric(name);
    await new Promise((r) => setTimeout(r, 100));
  }
}

before(async () => {
  ({ process: odind, ready } = await demo("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"));
  browser = await launch();
  page = await open(browser, ready, complaints, { colorScheme: "light" });
});

after(async () => {
  sockets.forEach((s) => s.destroy());
  await browser?.close();
  odind?.kill("SIGKILL");
});

test("the page says how odind is, with a row for each worker and topic", async () => {
  await isLive(page);
  await page.locator("#state", { hasText: "● ready" }).waitFor(WAIT);
  await until(page, () => document.querySelectorAll("#workers > tr").length === 2 && document.querySelectorAll("#topics > tr .name").length === 8);
  assert.ok((await page.locator("#topics .name").allTextContents()).includes("odin.trades"));
  const status = await (await fetch(`${ready.operator}/api/status`)).json();
  assert.equal(await text(page, "#digest"), status.config_digest);
  assert.equal(await text(page, "#pid"), String(status.pid));
  assert.equal(await text(page, "#version"), `odind ${status.version}`);
  assert.match(await text(page, "#uptime"), /^up \d/);
});

test("sessions, deliveries and their balance are shown as they come", async () => {
  for (let i = 0; i < 40; i++) sockets.push(client(ready.ws, ["*.trade"]));
  await until(page, () => document.querySelector("#c-sessions [data-value]").textContent === "40");
  await until(page, () => Number(document.querySelector("#c-deliveries [data-value]").textContent.replaceAll(",", "")) > 100);
  await until(page, () => [...document.querySelectorAll("#workers > tr")].every((r) => Number(r.cells[3].firstChild.textContent.replaceAll(",", "")) > 10));
  assert.match(await text(page, "#balance-words"), /^balance \d\.\d\d: worker \d has \d+, the mean is 20$/);
  const first = await number(page, "#f-deliveries");
  await until(page, (n) => Number(document.getElementById("f-deliveries").textContent.replaceAll(",", "")) > n, first);
  for (const id of ["#c-latency [data-value=p50]", "#c-latency [data-value=p99]"]) assert.match(await text(page, id), /^[\d.]+ m?s$/);
});

test("the charts move", async () => {
  for (const id of ["c-deliveries", "c-latency", "c-records", "c-sessions", "c-lag"]) {
    const drawn = (chart) => document.querySelector(`#${chart} .line.one`).getAttribute("d");
    const now = await page.evaluate(drawn, id);
    await until(page, ([chart, before]) => document.querySelector(`#${chart} .line.one`).getAttribute("d") !== before, [id, now]);
    assert.match(await page.evaluate(drawn, id), /^M[\d. ]+L/);
  }
});

test("a page that is opened later shows what was before", async () => {
  const later = await open(browser, ready, complaints);
  await isLive(later);
  const points = await later.evaluate(() => document.querySelector("#c-sessions .line.one").getAttribute("d").split("L").length);
  assert.ok(points >= 5, `${points} points`);
  await later.context().close();
});

test("the past can be looked at with the pointer and with the keyboard", async () => {
  await page.hover("#c-deliveries svg", { position: { x: 60, y: 40 } });
  await page.locator("#c-records svg .tick", { hasText: "ago" }).last().waitFor(WAIT);
  await page.mouse.move(2, 2);
  await page.locator("#c-latency svg").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.match(await page.locator("#c-latency svg").getAttribute("aria-valuetext"), /^p99 .*, p50 .*, \d+ s ago$/);
  await page.keyboard.press("End");
  assert.match(await page.locator("#c-latency svg").getAttribute("aria-valuetext"), /, now$/);
  await page.locator("#pattern").focus();
});

test("a topic is opened for its partitions, by the keyboard", async () => {
  const button = page.locator("#topics button.disclose").first();
  await button.focus();
  await page.keyboard.press("Enter");
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  await until(page, () => document.querySelectorAll("#topics .partitions tbody tr").length === 12);
  const position = () => page.evaluate(() => [...document.querySelectorAll("#topics .partitions tbody tr")].map((r) => r.cells[3].textContent).join());
  const before = await position();
  await until(page, (b) => [...document.querySelectorAll("#topics .partitions tbody tr")].map((r) => r.cells[3].textContent).join() !== b, before);
  assert.match(await text(page, "#topics .range"), /^1 to 12 of 12$/);
  await button.press("Enter");
  assert.equal(await page.locator("#topics .below:visible").count(), 0);
});

test("no session of its own until a channel is typed; then its records are shown", async () => {
  assert.equal(await metric('odin_sessions\\{worker="0"\\}') + await metric('odin_sessions\\{worker="1"\\}'), 40);
  await page.fill("#pattern", "*.trade");
  await page.keyboard.press("Enter");
  await record(page, ".trade").waitFor(WAIT);
  assert.match(await page.locator("#records .pos").first().textContent(), /^odin\.trades:\d+:\d+$/);
  await page.locator("#link", { hasText: /● worker \d/ }).waitFor(WAIT);
  await page.locator("#received", { hasText: /^[\d.]+ records\/s, \d+ records$/ }).waitFor(WAIT);
  assert.equal(new URL(page.url()).hash, "#feed=*.trade");
});

test("the feed is paused and goes on, and keeps no more than it shows", async () => {
  await page.click("#pause");
  const held = await text(page, "#records");
  await page.locator("#received", { hasText: /paused: [1-9]\d* records? came meanwhile/ }).waitFor(WAIT);
  assert.equal(await text(page, "#records"), held);
  await page.click("#pause");
  await until(page, (b) => document.getElementById("records").textContent !== b, held);
  execFileSync(FANPUB, publish("--key", "FLOOD", "--rate", "5000", "--count", "3000"));
  await record(page, "FLOOD.trade").waitFor(WAIT);
  await until(page, () => document.querySelectorAll("#records li").length === 200);
  await page.click("#clear");
  assert.ok(await page.locator("#records li").count() < 200);
});

test("what records carry stays text", async () => {
  await page.fill("#pattern", "HOSTILE.*");
  await page.click("text=Subscribe");
  const values = ['{"v":"<img src=x onerror=globalThis.pwned=1>","n":%s}', "</script><script>globalThis.pwned=2</script> %s",
    '"<svg onload=globalThis.pwned=3>%s"', '{"__proto__":{"pwned":4},"v":"\\u202e\\u0007%s"}'];
  values.forEach((v) => produce("HOSTILE", v));
  produce("<img/src=x/onerror=globalThis[`pwned`]=5>", '{"k":%s}');
  await record(page, "<img src=x onerror").waitFor(WAIT);
  await record(page, "<svg onload").waitFor(WAIT);
  await record(page, "base64").waitFor(WAIT);
  await record(page, "\\u202e").waitFor(WAIT);
  await record(page, "<img/src=x/onerror=globalThis[`pwned`]=5>.trade").waitFor(WAIT);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.equal(await page.evaluate(() => ({}).pwned), undefined);
  assert.equal(await page.locator("#records img, #records svg, #records script").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
});

test("one is told why a channel is refused, unsubscribes, and is no session any more", async () => {
  await page.fill("#pattern", "no dot");
  await page.click("text=Subscribe");
  await page.locator("#records .remark", { hasText: "no dot" }).waitFor(WAIT);
  await page.click("[aria-label='unsubscribe *.trade']");
  await page.click("[aria-label='unsubscribe HOSTILE.*']");
  assert.equal(await page.locator("#subscriptions li").count(), 0);
  await page.locator("#link", { hasText: "not connected" }).waitFor(WAIT);
  await until(page, () => document.querySelector("#c-sessions [data-value]").textContent === "40");
  assert.equal(new URL(page.url()).hash, "");
});

test("sessions that end are shown with their reason", async () => {
  leave(sockets.pop());
  sockets.pop().destroy();
  await page.locator("#closed tr", { hasText: "the client closed, 1000" }).first().waitFor(WAIT);
  await page.locator("#closed tr", { hasText: "the client vanished, 1006" }).first().waitFor(WAIT);
  await page.locator("#closed tr", { hasText: /\d s ago/ }).first().waitFor(WAIT);
});

test("a slow session is shown with what it is owed, and then why it was closed", async () => {
  sockets.push(client(ready.ws, ["SLOW.trade"], { reads: false }));
  const source = spawn(FANPUB, publish("--key", "SLOW", "--size", "10000", "--rate", "15", "--duration", "120s"), { stdio: "ignore" });
  try {
    await page.locator("#slow tr", { hasText: "127.0.0.1" }).first().waitFor({ timeout: 90_000 });
    assert.match(await page.locator("#slow tr").first().textContent(), /[KM]iB/);
    await page.locator("#closed tr", { hasText: "slow consumer, 4000" }).first().waitFor({ timeout: 120_000 });
    assert.match(await text(page, "#f-slow-note"), /^1 closed/);
  } finally {
    source.kill();
  }
});

test("a drain is shown as it goes on, until it is taken back", async () => {
  const odinctl = (...more) => execFileSync(join(dirname(ODIND), "odinctl"), ["--runtime-dir", ready.runtime, ...more], { stdio: "ignore" });
  odinctl("drain", "--over", "120s");
  await page.locator("#drain", { hasText: /Draining: \d+ of \d+ sessions closed, \d+ left, .* to go/ }).waitFor(WAIT);
  await page.locator("#state", { hasText: "▽ draining" }).waitFor(WAIT);
  await page.locator("#closed tr", { hasText: "draining, 1001" }).first().waitFor(WAIT);
  await page.screenshot({ path: join(SEEN, "drain.png") });
  odinctl("undrain");
  await page.locator("#drain").waitFor({ state: "hidden", ...WAIT });
  await page.locator("#state", { hasText: "● ready" }).waitFor(WAIT);
});

test("light, dark and a phone: it fits, can be read, and every control has a name", async () => {
  for (const [name, options] of Object.entries(LOOKS)) {
    const p = await open(browser, ready, complaints, options, "#feed=*.trade,BTC.*");
    await isLive(p);
    await p.locator("#topics button.disclose").nth(1).click();
    await until(p, () => document.querySelectorAll("#records li").length >= 20 && document.querySelectorAll("#topics .partitions tbody tr").length >= 12);
    assert.deepEqual(await fits(p), { wide: 0, out: [] }, name);
    assert.deepEqual(await faint(p), [], name);
    assert.deepEqual(await unnamed(p), [], name);
    await p.screenshot({ path: join(SEEN, `${name}.png`), fullPage: true });
    await p.context().close();
  }
});

test("dark is dark, and who wants no motion gets none", async () => {
  const back = (p) => p.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await open(browser, ready, complaints, { colorScheme: "dark", reducedMotion: "reduce" });
  assert.notEqual(await back(page), await back(dark));
  await isLive(dark);
  assert.deepEqual(await dark.evaluate(() => [...document.querySelectorAll("main, .bar i")].map((e) => getComputedStyle(e).transitionDuration)
    .filter((d) => d !== "0s")), []);
  await dark.context().close();
});

test("a page that nobody sees costs nothing, and is whole when it is seen again", async () => {
  await untilMetric("odin_page_viewers", 1);
  const turn = (hidden) => page.evaluate((h) => {
    Object.defineProperty(document, "hidden", { value: h, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await turn(true);
  await untilMetric("odin_page_viewers", 0);
  await turn(false);
  await untilMetric("odin_page_viewers", 1);
  await isLive(page);
});

test("nothing complained, and nothing foreign was asked for", () => assert.deepEqual(complaints, []));

test("when too many watch, the page says so and gets its turn by itself", async () => {
  const others = [];
  for (let i = 0; i < 31; i++) others.push(get(`${ready.operator}/api/events`, (r) => r.resume()).on("error", () => {}));
  await untilMetric("odin_page_viewers", 32);
  const late = await open(browser, ready, []);
  await late.locator("#fault", { hasText: "32 pages are watching already" }).waitFor(WAIT);
  others.forEach((o) => o.destroy());
  await isLive(late);
  assert.equal(await late.locator("#fault:visible").count(), 0);
  await late.context().close();
});

test("the page survives a restart of odind", async () => {
  const p = await open(browser, ready, [], PHONE, "#feed=*.trade");
  await record(p, ".trade").waitFor(WAIT);
  const pid = await text(p, "#pid");
  assert.equal(await end(odind, "SIGTERM"), 0);
  await p.locator("#fault", { hasText: "Connection lost, trying again" }).waitFor(WAIT);
  await p.locator("#live", { hasText: "✕ not live" }).waitFor(WAIT);
  await p.locator("#link", { hasText: "trying again" }).waitFor(WAIT);
  assert.equal(await p.locator("#fault").getAttribute("role"), "alert");
  await p.screenshot({ path: join(SEEN, "lost.png") });
  ({ process: odind, ready } = await demo(host(ready.ws), host(ready.operator), ready.broker));
  await isLive(p);
  await until(p, (before) => document.getElementById("pid").textContent !== before, pid);
  await p.locator("#link", { hasText: /● worker \d/ }).waitFor(WAIT);
  await p.click("#clear");
  await record(p, ".trade").waitFor(WAIT);
  assert.equal(await p.locator("#fault:visible").count(), 0);
});
