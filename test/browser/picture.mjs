// Draws docs/page.png: the page of `odind demo` after five minutes in which
// clients came and went, some of them in waves.
import { end, client, isLive, launch, leave, open, start, until } from "./browse.mjs";

const { ODIND, SEEN } = process.env;
const SECONDS = 305;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const { process: odind, ready } = await start(ODIND, ["demo", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0",
  "--broker-listen", "127.0.0.1:0", "--workers", "4", "--rate", "300", "--seed", "1"]);
const sockets = [];
const channels = [["*.trade"], ["*.trade", "*.liquidity"], ["BTC.*"], ["ETH.trade", "SOL.trade"]];
for (let second = 0; second < SECONDS; second++) {
  const wanted = Math.round(220 + 90 * Math.sin(second / 40) + 25 * Math.sin(second / 7));
  while (sockets.length < wanted) sockets.push(client(ready.ws, channels[sockets.length % channels.length]));
  for (let i = 0; i < 3 || sockets.length > wanted; i++) leave(sockets.shift());
  await wait(1000);
}

const complaints = [];
const browser = await launch();
const page = await open(browser, ready, complaints, { colorScheme: "light", viewport: { width: 1200, height: 866 }, deviceScaleFactor: 1.5 });
await isLive(page);
await until(page, () => document.querySelectorAll("#workers > tr").length === 4);
await wait(2000); // an interval of one second, as the numbers say
await page.screenshot({ path: SEEN });
await browser.close();
sockets.forEach((s) => s.destroy());
await end(odind, "SIGTERM");
if (complaints.length) throw new Error(complaints.join("\n"));
