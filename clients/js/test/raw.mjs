// A server that shakes hands and then sends whatever bytes a test likes.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { owned } from "./harness.mjs";

export const GREETING = '{"type":"hello","version":"odin.v1","node":"raw","worker":0,"ts":1,"ping_interval_ms":25000,"limits":{"max_channels":1000,"max_request_bytes":262144}}';

// frame makes a frame that is whole and unmasked, unless told otherwise.
export function frame(payload, { first = 0x81, length } = {}) {
  const body = Buffer.from(payload);
  const n = length ?? body.length;
  const head = n < 126 ? Buffer.from([first, n]) : n < 65536 ? Buffer.from([first, 126, n >> 8, n & 255]) : Buffer.alloc(10);
  if (head.length === 10) {
    head.set([first, 127]);
    head.writeBigUInt64BE(BigInt(n), 2);
  }
  return Buffer.concat([head, body]);
}

export const text = (value) => frame(typeof value === "string" ? value : JSON.stringify(value));

// Raw serves connections by the plans of a test, in turn; the last one serves
// all that follow.
export class Raw {
  connections = 0;
  sockets = new Set();

  static async start(...plans) {
    const raw = Object.assign(new Raw(), { plans });
    raw.server = createServer((_, answer) => answer.writeHead(503, { "Retry-After": "1" }).end('{"error":"overloaded","reason":"draining"}'));
    raw.server.on("upgrade", (request, socket) => raw.serve(request, socket));
    await new Promise((resolve) => raw.server.listen(0, "127.0.0.1", resolve));
    raw.forget = owned(() => raw.stop());
    raw.ws = `ws://127.0.0.1:${raw.server.address().port}/ws`;
    return raw;
  }

  serve(request, socket) {
    const plan = this.plans[Math.min(this.connections++, this.plans.length - 1)];
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", ([first]) => (first & 15) === 8 && socket.end()); // all else that clients send is of no interest
    if (plan === undefined) return socket.destroy();
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: odin.v1\r\n\r\n`);
    for (const bytes of plan) socket.write(bytes);
  }

  stop() {
    this.forget();
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
