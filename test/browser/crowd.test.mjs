// The page of an odind as large and as badly named as can be (crowd).
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { LOOKS, faint, fits, isLive, launch, open, start, text, unnamed, until } from "./browse.mjs";

const { CROWD, SEEN } = process.env;
let crowd, ready, browser, page;
const complaints = [];

before(async () => {
  ({ process: crowd, ready } = await start(CROWD, []));
  browser = await launch();
  page = await open(browser, ready, complaints);
  await isLive(page);
});

after(async () => {
  await browser?.close();
  crowd?.kill("SIGKILL");
});

const rows = (p) => p.locator("#topics .below:visible .partitions tbody tr");

test("16 workers, with their states in words", async () => {
  assert.equal(await page.locator("#workers > tr").count(), 16);
  const state = (i) => page.locator(`#workers > tr:nth-child(${i + 1}) td:nth-child(2)`).textContent();
  assert.match(await state(0), /^● ready$/);
  assert.match(await state(3), /^▽ draining/);
  assert.match(await state(7), /^✕ gone.*served by worker 8; 1 respawn/);
  await page.locator("#workers > tr:nth-child(10) td:last-child", { hasText: "silent" }).waitFor();
  assert.match(await text(page, "#state"), /▲ degraded/);
  assert.match(await page.title(), /^▲ degraded/);
  assert.equal(await page.locator("#warning-list li").count(), 5);
  await page.click("#more-warnings");
  assert.ok(await page.locator("#warning-list li").count() > 5);
  await page.click("#more-warnings");
});

test("names that mean harm are text, and turn nothing around", async () => {
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.equal(await page.locator("main img, main script").count(), 0);
  const topics = await page.locator("#topics .name").allTextContents();
  assert.ok(topics.includes('<img src=x onerror="globalThis.pwned=1">'), topics.join("\n"));
  assert.ok(topics.includes("\\u202egnp.exe"), topics.join("\n"));
  assert.ok(topics.includes("nul\\u0000esc\\u001b[2Jbell\\u0007\\u000anew line"), topics.join("\n"));
  assert.ok(topics.includes("عربى.trades"), topics.join("\n"));
  const shown = await page.evaluate(() => document.body.innerText + document.title);
  assert.doesNotMatch(shown, /[\u0000-\u0008\u202a-\u202e\u2066-\u2069]/);
  assert.match(shown, /no broker answers: <img src=x/);
});

test("sessions of harmful words are text", async () => {
  await until(page, () => document.querySelectorAll("#closed tr").length === 30 && document.querySelectorAll("#slow tr").length === 20);
  assert.match(await text(page, "#closed"), /<img src=x onerror="globalThis\.pwned=1">\\u202egnp\.exe/);
  assert.match(await text(page, "#sessions-trouble"), /no answer from worker 9/);
  assert.match(await text(page, "#slow-count"), /the 20 worst of 60/);
});

test("4,096 partitions: all topics open, a page of each", async (t) => {
  const buttons = page.locator("#topics button.disclose");
  for (let i = 0; i < await buttons.count(); i++) await buttons.nth(i).click();
  await until(page, () => document.querySelectorAll("#topics .partitions tbody tr").length === 8 * 50);
  assert.match(await text(page, "#topics .range >> nth=0"), /^1 to 50 of 512$/);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok(nodes < 12_000, `${nodes} elements`);

  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const busy = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
  const before = await busy();
  const seen = await page.locator("#f-deliveries").textContent();
  await until(page, (s) => document.getElementById("f-deliveries").textContent !== s, seen);
  await new Promise((r) => setTimeout(r, 5000));
  const now = await busy();
  const part = (name) => (100 * (now[name] - before[name]) / (now.Timestamp - before.Timestamp)).toFixed(1);
  t.diagnostic(`all 8 topics open, ${nodes} elements: of its thread the page takes ${part("TaskDuration")} %: script ${part("ScriptDuration")}, ` +
    `style ${part("RecalcStyleDuration")}, layout ${part("LayoutDuration")}`);
});

test("one leafs through partitions, and picks those that matter", async () => {
  const buttons = page.locator("#topics button.disclose");
  for (let i = 1; i < await buttons.count(); i++) await buttons.nth(i).click();
  const below = page.locator("#topics .below:visible");
  await below.locator("[aria-label='more partitions']").click();
  assert.match(await below.locator(".range").textContent(), /^51 to 100 of 512$/);
  assert.equal(await rows(page).first().locator("td").first().textContent(), "50");
  await below.locator("select").first().selectOption("orphans");
  await until(page, () => {
    const all = [...document.querySelectorAll("#topics .below:not([hidden]) .partitions tbody tr")];
    return all.length === 6 && all.every((r) => r.cells[1].textContent.startsWith("nobody"));
  });
  await below.locator("select").first().selectOption("behind");
  await below.locator("select").nth(1).selectOption("lag");
  await until(page, () => {
    const all = [...document.querySelectorAll("#topics .below:not([hidden]) .partitions tbody tr")];
    return all.length > 0 && all.every((r) => r.cells[5].textContent !== "0" || r.cells[6].textContent !== "–");
  });
});

test("it fits and can be read in light, dark and on a phone", async () => {
  for (const [name, options] of Object.entries(LOOKS)) {
    const p = await open(browser, ready, complaints, options);
    await isLive(p);
    await p.locator("#topics button.disclose").nth(1).click();
    await until(p, () => document.querySelectorAll("#topics .partitions tbody tr").length === 50 && document.querySelectorAll("#closed tr").length === 30);
    assert.deepEqual(await fits(p), { wide: 0, out: [] }, name);
    assert.deepEqual(await faint(p), [], name);
    assert.deepEqual(await unnamed(p), [], name);
    await p.screenshot({ path: join(SEEN, `crowd-${name}.png`), fullPage: true });
    await p.context().close();
  }
});

test("it fits every width from a small phone to a wall", async () => {
  await page.locator("#topics button.disclose").nth(1).click();
  for (const width of [320, 360, 480, 600, 720, 831, 833, 960, 1024, 1087, 1089, 1200, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    assert.deepEqual(await fits(page), { wide: 0, out: [] }, `${width} px`);
  }
});

test("nothing complained", () => assert.deepEqual(complaints, []));
