// A client that takes down all that it hears. The tests load this file in Node
// and in the browser.
import { Client, formatPos } from "../odin.js";

export function witness(url, options = {}) {
  const controller = new AbortController();
  const [records, events] = [[], []];
  const take = (kind) => (what) => { events.push({ kind, ...what }); };
  const client = new Client(url, {
    channels: ["*.trade"], backoffMin: 100, backoffMax: 1000,
    onRecord: (r) => { records.push([formatPos(r.pos), r.binary ? [...r.value] : r.value]); },
    onGap: take("gap"), onReset: take("reset"), onRecovery: take("recovery"), onRejected: take("rejected"), onConnect: take("connect"),
    onDisconnect: ({ error, retryIn, final }) => events.push({ kind: "disconnect", name: error.name, code: error.code, reason: error.reason, message: error.message, retryIn, final }),
    ...options,
  });
  let outcome;
  const done = client.run({ signal: controller.signal }).catch((error) => { outcome = error.name; });
  return {
    state: () => ({ records, events, outcome, cursor: client.cursor() }),
    async stop() {
      controller.abort();
      await done;
      return this.state();
    },
  };
}
