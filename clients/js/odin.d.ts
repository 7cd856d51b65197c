/** How far one has got, for each topic. It is the protocol's form: keep it as JSON. */
export type Cursor = Record<string, TopicCursor>;

export interface TopicCursor {
  /** Names the incarnation of the topic that the offsets belong to. */
  epoch: string;
  /**
   * An entry for each partition: every record up to it was had, or announced as lost. -1 is before the first; null: nothing can be
   * proven.
   */
  offsets: (number | null)[];
}

/** A record's place in the log. Offsets beyond 2^53 are refused. */
export interface Pos {
  topic: string;
  partition: number;
  offset: number;
}

interface RecordBase {
  channel: string;
  pos: Pos;
  /** The record's timestamp in Unix ms, set by its producer: no order, no age. Beyond 2^53 it is not exact; `raw` has all digits. */
  ts: number;
  /** Whether it is from before the subscription: `last` asked for it. */
  history: boolean;
  /** The message as it came: JSON in which numbers still have all their digits. */
  raw: string;
}

/** A record whose value is JSON; a tombstone is null. */
export interface JSONRecord<Value> extends RecordBase {
  binary: false;
  value: Value;
}

/** A record whose value is no JSON. */
export interface BinaryRecord extends RecordBase {
  binary: true;
  value: Uint8Array;
}

export type StreamRecord<Value = unknown> = JSONRecord<Value> | BinaryRecord;

/** `dropped` records of a channel, the last at `pos`, were left out because this client was too slow. */
export interface Gap {
  channel: string;
  dropped: number;
  pos: Pos;
  raw: string;
}

/** The server moved the stream's place in a topic. */
export interface Reset {
  /** "epoch": made anew or truncated. "trimmed": records were gone before they could be had. "topology": partitions were added. */
  reason: "epoch" | "trimmed" | "topology" | (string & {});
  /** Whether records may be missing. */
  lost: boolean;
  /** The new places. */
  cursor: Cursor;
  raw: string;
}

/** What became of the records between two connections. */
export interface Recovery {
  /** True when every one of them has been handed over by now: `replayed` of them. */
  recovered: boolean;
  replayed: number;
  /**
   * Why they could not be had, or not be proven complete; the stream goes on from now. "epoch": a topic was made anew or truncated.
   * "trimmed": they are gone. "limit": they are too many. "unavailable": the server can't tell or have them just now. "refused": it
   * doesn't take the cursor; `message` says why. "too_large": channels and cursor don't fit into a request.
   */
  reason: "" | "epoch" | "trimmed" | "limit" | "unavailable" | "refused" | "too_large" | (string & {});
  message: string;
}

/** A channel that the server does not subscribe; the client has forgotten it. */
export interface Rejection {
  channel: string;
  code: "bad_channel" | "too_many_channels" | "forbidden" | (string & {});
  message: string;
}

/** A connection that was made. */
export interface Connection {
  /** The server's name for itself. */
  node: string;
  /** Which of its processes serves the session. */
  worker: number;
}

/** Why there is no connection, and what comes next. */
export interface Disconnection {
  error: unknown;
  /** Ms until the next attempt. */
  retryIn: number;
  /** There is none: run ends with the error. */
  final: boolean;
}

/** What a handler gives: a promise is waited for, and its failure counts like an exception. */
export type Handled = void | PromiseLike<void>;

/**
 * Only onRecord is needed. Handlers are called one at a time, in the order of the stream. What one of them throws ends run with just
 * that, and the cursor stays before what the handler was called for.
 */
export interface Options<Value = unknown> {
  /** Channels to begin with, like BTC.trade, *.trade or BTC.*. */
  channels?: string[];
  /** The cursor of an earlier client with these channels: its stream goes on from there. None: from now on. */
  cursor?: Cursor | null;
  /** So many of the newest records that the server keeps of each channel, when it is first subscribed. Default: 0. */
  last?: number;
  /** Helps an operator to find the session; at most 128 bytes. */
  clientId?: string;

  onRecord: (record: StreamRecord<Value>) => Handled;
  onGap?: (gap: Gap) => Handled;
  onReset?: (reset: Reset) => Handled;
  /** After a connection was lost and another was made: whether all that was missed has come. */
  onRecovery?: (recovery: Recovery) => Handled;
  onRejected?: (rejection: Rejection) => Handled;
  onConnect?: (connection: Connection) => Handled;
  /** A connection has ended or could not be made. It isn't waited for. */
  onDisconnect?: (disconnection: Disconnection) => void;

  /**
   * How often, in ms, the client asks for its place: the cursor moves on where channels are quiet, and a dead connection is noticed,
   * after two intervals and 10 s without a word. Default: 30,000. 0: never, and then a connection that dies in silence goes unnoticed.
   */
  heartbeat?: number;
  /** Bounds, in ms, of the waits where the server gives no window: from 0 to backoffMin, then to twice as much each time. Default: 1,000. */
  backoffMin?: number;
  /** Default: 30,000. */
  backoffMax?: number;
  /** Characters of one message at most; a larger one ends run. Default: 80 Mi. */
  messageMax?: number;
  /**
   * Characters of messages that may wait for handlers that give promises; each counts for at least 128. With more the connection is
   * given up, and resumed once the handler that is at work is done. Default: 16 Mi.
   */
  queueMax?: number;
  /** The constructor to use. Default: the global one. */
  WebSocket?: new (url: string, protocols: string[]) => any;
}

/** Reads the records of channels. Its methods may be called at any time, from handlers too. */
export class Client<Value = unknown> {
  /** A client of the odind at the URL, such as wss://odin.example/ws. It does nothing until run is called. */
  constructor(url: string, options: Options<Value>);

  /** Adds channels, from now on: at once when connected, else with the next connection. What the server doesn't take, onRejected is told. */
  subscribe(...channels: string[]): void;

  /** Drops channels. Records that are on their way still come. */
  unsubscribe(...channels: string[]): void;

  /** Those that the client wants to hear, sorted. */
  get channels(): string[];

  /**
   * A copy of the place behind all that handlers have dealt with. Within a handler it doesn't cover yet what the handler was called
   * for; see advance.
   */
  cursor(): Cursor;

  /**
   * Connects, hears, and connects again. It ends only by failing: with the signal's reason once that is aborted, with what a handler
   * threw, with a TooLargeError, with a CloseError after which another attempt would be in vain, or with what the constructor of the
   * WebSocket throws, such as a SecurityError for ws: from an https: page. A handler that is at work is waited for. No timer and no
   * listener is left behind it; but a WebSocket whose server doesn't answer its close any more stays until TCP gives up, and Node with
   * it: see process.exit. run may be called again, and then resumes; two at once are an error.
   */
  run(options?: { signal?: AbortSignal }): Promise<never>;
}

/** Reads a cursor that was kept as JSON. null, which storage gives where there is nothing, is none. */
export function parseCursor(text: string): Cursor;
export function parseCursor(text: string | null | undefined): Cursor | undefined;

/**
 * Moves a cursor behind a record, so that it can be kept together with what a handler made of the record. It never moves back. A record
 * of a topic that the cursor doesn't have is left out: its epoch isn't known.
 */
export function advance(cursor: Cursor, pos: Pos): void;

/** Reads topic:partition:offset. */
export function parsePos(text: string): Pos;

/** Writes topic:partition:offset. */
export function formatPos(pos: Pos): string;

/** What the client itself complains of. */
export class OdinError extends Error {}

/** There is no connection, or it broke. */
export class ConnectionError extends OdinError {}

/** What the server sent is no odin.v1, or a text no cursor or position. */
export class ProtocolError extends OdinError {}

/** A message is larger than messageMax. It would come again, so the client gives up. */
export class TooLargeError extends OdinError {}

/** More than queueMax waits for handlers. */
export class OverrunError extends OdinError {}

/** With which close frame the server ended a connection. */
export class CloseError extends OdinError {
  /** Of RFC 6455 or Odin, such as 1001 or 4000. */
  readonly code: number;
  /** In words, such as "draining" or "slow_consumer". */
  readonly reason: string;
  /** Coming back won't help. */
  readonly final: boolean;
}
