// Where a witness lives: in this process, or in a page of headless Chromium.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { witness } from "./witness.mjs";

const { CHROMIUM, PLAYWRIGHT } = process.env;

export async function node() {
  return { open: async (url, options) => witness(url, options), close: async () => {} };
}

export function launch() {
  const { chromium } = createRequire(join(PLAYWRIGHT, "anchor.js"))("playwright-core");
  return chromium.launch({ executablePath: CHROMIUM, headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
}

// The page gets the client from a server of ours, as from any web site.
export async function chromium() {
  const server = createServer(serve);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launch();
  const address = `http://127.0.0.1:${server.address().port}/`;
  return {
    async open(url, options) {
      const page = await browser.newPage();
      await page.goto(address);
      await page.evaluate(async ([url, options]) => {
        const { witness } = await import("/test/witness.mjs");
        globalThis.heard = witness(url, options);
      }, [url, options]);
      return { state: () => page.evaluate(() => globalThis.heard.state()), stop: () => page.evaluate(() => globalThis.heard.stop()) };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

const FILES = { "/test/witness.mjs": "witness.mjs", "/odin.js": "../odin.js" };

async function serve({ url }, answer) {
  const file = FILES[url];
  answer.setHeader("Content-Type", file ? "text/javascript" : "text/html");
  answer.end(file ? await readFile(new URL(file, import.meta.url)) : "<!doctype html><link rel=icon href=data:,><title>a page</title>");
}
