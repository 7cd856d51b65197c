// What a user's editor knows of the client: `tsc` has to take all of this, and
// to refuse each line below a @ts-expect-error.
import * as declared from "@odin-ws/client";
import { advance, Client, CloseError, formatPos, parseCursor, parsePos, type Cursor, type StreamRecord } from "@odin-ws/client";
import * as written from "./written.js";

interface Trade { price: string; size: number }

const client = new Client<Trade>("wss://odin.example/ws", {
  channels: ["BTC.trade"],
  cursor: parseCursor(localStorage.getItem("cursor")),
  onRecord(record) {
    const channel: string = record.channel;
    if (record.binary) {
      const bytes: Uint8Array = record.value;
      return void [bytes, channel];
    }
    const price: string = record.value.price;
    // @ts-expect-error: no member of Trade
    record.value.volume;
    return Promise.resolve();
  },
  async onRecovery({ recovered, replayed, reason }) {
    const say: string = recovered ? String(replayed) : reason;
    if (reason === "epoch" || reason === "later") console.log(say);
  },
  onGap: ({ dropped, pos }) => console.log(dropped + pos.offset),
  onReset: ({ lost, cursor }) => console.log(lost, cursor["odin.trades"]?.offsets[0] ?? -1),
  onDisconnect({ error, retryIn, final }) {
    if (error instanceof CloseError) console.log(error.code + 1, error.reason.length, error.final);
    const ms: number = retryIn;
    console.log(ms, final);
  },
  WebSocket: class extends WebSocket {},
});
client.subscribe("ETH.trade", "*.trade");
const names: string[] = client.channels;
const cursor: Cursor = client.cursor();
advance(cursor, parsePos("odin.trades:7:1042"));
const kept: string = JSON.stringify(cursor) + formatPos({ topic: "t", partition: 0, offset: 1 }) + names.length;
const again: Cursor = parseCursor(kept);
const never: Promise<never> = client.run({ signal: AbortSignal.timeout(1000) });
const any: (record: StreamRecord) => void = ({ value }) => console.log(value, again, never);
new Client("ws://h/ws", { onRecord: any, onReset: undefined });

// @ts-expect-error: onRecord is needed
new Client("ws://h/ws", {});
// @ts-expect-error: no such option
new Client("ws://h/ws", { onRecord: any, onRecords: any });
// @ts-expect-error: a list
new Client("ws://h/ws", { onRecord: any, channels: "BTC.trade" });
// @ts-expect-error: read-only
client.channels = [];
// @ts-expect-error: a signal is named
client.run(AbortSignal.timeout(1000));

// What odin.js exports is what odin.d.ts declares, no less and no more; the
// test puts a copy of the one beside this file as written.js.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const exports: Same<keyof typeof declared, keyof typeof written> = true;
const members: Same<keyof declared.Client, keyof written.Client> = true;
console.log(exports, members);
