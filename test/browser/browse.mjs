// What the suites share: odind, Chromium, and pages whose complaints are kept.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { CHROMIUM, PLAYWRIGHT, WORK } = process.env;
const { chromium } = createRequire(join(PLAYWRIGHT, "anchor.js"))("playwright-core");

export const WAIT = { timeout: 30_000 };
export const PHONE = { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const LOOKS = {
  light: { colorScheme: "light" }, dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", ...PHONE }, "phone-dark": { colorScheme: "dark", ...PHONE },
};

// start runs a program until it prints its ready line: {process, ready}.
export function start(program, args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
    createInterface({ input: child.stdout }).once("line", (line) => resolve({ process: child,
      ready: Object.fromEntries(line.split(" ").slice(1).map((w) => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)])) }));
  });
}

// end stops a program, and gives its exit code.
export function end(child, signal) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  return ended;
}

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, env: { ...process.env, HOME: WORK },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"] });
}

// open shows the page. What the console, the policy or anything foreign has to
// complain of goes to complaints.
export async function open(browser, ready, complaints, options = {}, address = "") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const hosts = new Set([ready.operator, ready.ws].filter(Boolean).map((u) => new URL(u).host));
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`exception: ${e.stack}`));
  page.on("dialog", (d) => (complaints.push(`dialog: ${d.message()}`), d.dismiss()));
  page.on("request", (r) => r.url().startsWith("data:") || hosts.has(new URL(r.url()).host) || complaints.push(`request: ${r.url()}`));
  await page.goto(`${ready.operator}/${address}`);
  return page;
}

// isLive waits until the page shows what odind says now.
export const isLive = (page) => page.locator("#live", { hasText: "● live" }).waitFor(WAIT);

export const text = (page, selector) => page.locator(selector).textContent();

export const number = async (page, selector) => Number((await text(page, selector)).replaceAll(",", ""));

// until waits for a condition in the page.
export const until = (page, condition, argument) => page.waitForFunction(condition, argument, WAIT);

// fits tells whether nothing has to be scrolled sideways, and what stands out.
export const fits = (page) => page.evaluate(() => ({
  wide: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth,
  out: [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
    .map((e) => `${e.tagName} ${e.id} ${e.className}`).slice(0, 5),
}));

// faint lists the texts whose contrast with what is behind them is below 4.5,
// what WCAG's level AA asks for.
export const faint = (page) => page.evaluate(() => {
  const rgb = (css) => (css.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (css) => {
    const [r, g, b] = rgb(css).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((rgb(color)[3] ?? 1) > 0.99) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.disabled || !e.getClientRects().length || ["SCRIPT", "STYLE", "OPTION"].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(e instanceof SVGElement ? style.fill : style.color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.className.baseVal ?? e.className}: ${ratio.toFixed(2)} "${e.textContent.trim().slice(0, 20)}"`);
  }
  return found;
});

// unnamed lists what can be reached by the keyboard and says nothing of itself.
export const unnamed = (page) => page.evaluate(() => [...document.querySelectorAll("button, input, select, a[href], [tabindex]")]
  .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map((e) => e.outerHTML.slice(0, 100)));

// client is a session that subscribes, and answers pings if it reads at all.
export function client(ws, channels, { reads = true } = {}) {
  const u = new URL(ws);
  const socket = connect({ host: u.hostname, port: u.port });
  socket.on("error", () => {});
  socket.on("connect", () => socket.write(`GET ${u.pathname} HTTP/1.1\r\nHost: ${u.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
  let rest = Buffer.alloc(0);
  let upgraded = false;
  socket.on("data", (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    if (!upgraded) {
      const head = rest.indexOf("\r\n\r\n");
      if (head < 0) return;
      upgraded = true;
      rest = rest.subarray(head + 4);
      socket.write(frame(1, JSON.stringify({ type: "subscribe", data: { channels } })));
      if (!reads) socket.pause();
    }
    rest = answerPings(socket, rest);
  });
  return socket;
}

// answerPings takes whole frames off, and answers those that are pings.
function answerPings(socket, bytes) {
  for (let at = 0; ;) {
    const short = bytes[at + 1];
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < at + head) return bytes.subarray(at);
    const size = head === 2 ? short : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length < at + head + size) return bytes.subarray(at);
    if (bytes[at] === 0x89) socket.write(frame(10, bytes.subarray(at + head, at + head + size)));
    at += head + size;
  }
}

// leave closes a session as RFC 6455 says.
export function leave(socket) {
  socket.write(frame(8, "\u0003\u00e8", "latin1"));
}

function frame(opcode, content, encoding) {
  const body = Buffer.from(content, encoding);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]), body]);
}
