// One client's conversation with Odin, checked word by word, over any connection.
import { Places } from "./places.js";
import * as metrics from "./metrics.js";

const { faults } = metrics;
const ANSWERS = { subscribe: "subscription_ack", unsubscribe: "unsubscription_ack", heartbeat: "pong" };

export class Session {
  // exact: see Places. slow: it may be closed for being slow.
  constructor(connection, { exact = false, slow = false } = {}) {
    this.connection = connection; // send(text), close()
    this.slow = slow;
    this.began = Date.now();
    this.places = new Places(exact);
    this.channels = new Set();
    this.asked = new Map(); // id → request without an answer yet
    this.greeted = 0;
    this.requests = 0;
    this.records = 0;
    this.history = 0; // records of `last` that are still to come
    this.leaving = false; // nothing is asked any more
    this.left = false; // nothing more is wanted of the server
    this.onopen = () => {}; // not at the greeting: see metrics.js
    this.onrecord = () => {};
  }

  ask(type, data, then = () => {}) {
    if (this.leaving) return; // the last request is asked
    const id = `${++this.requests}`;
    this.asked.set(id, { type, data, then, at: Date.now() });
    this.connection.send(JSON.stringify({ type, id, data }));
  }

  subscribe(channels, last) {
    this.ask("subscribe", { channels, last });
  }

  // leave once all is answered: answers come in the order of requests.
  leave() {
    this.ask("heartbeat", {}, () => {
      if (this.asked.size > 0) faults.answer.add(this.asked.size);
      this.left = true;
      this.connection.close();
    });
    this.leaving = true;
  }

  hear(text) {
    const message = JSON.parse(text);
    const hear = this[`hear_${message.type}`] || this.hearAnswer;
    hear.call(this, message);
  }

  hear_hello() {
    this.greeted++;
    metrics.greetings.add(1);
    metrics.hello.add(Date.now() - this.began);
  }

  hear_message({ channel, pos, ts }) {
    this.records++;
    if (!this.covers(channel)) faults.stray.add(1);
    this.onrecord(channel);
    if (this.history > 0) { // out of the stream's order, as promised
      this.history--;
      return;
    }
    this.places.record(pos);
    if (this.records % 10 === 1) metrics.age.add(Math.max(0, Date.now() - ts));
  }

  hear_gap({ pos, dropped }) {
    metrics.gaps.add(1);
    metrics.dropped.add(dropped);
    this.places.gap(pos, dropped);
  }

  hear_reset({ lost, cursor }) {
    if (lost) faults.lost.add(1);
    this.places.cursor(cursor, true);
  }

  hear_error(message) {
    faults.error.add(1, { code: message.code });
    this.asked.delete(message.id);
  }

  hearAnswer(answer) {
    const request = this.asked.get(answer.id);
    if (!request || answer.type !== ANSWERS[request.type]) return faults.answer.add(1);
    this.asked.delete(answer.id);
    metrics.answers.add(1);
    metrics.answered.add(Date.now() - request.at);
    if (answer.cursor) this.places.cursor(answer.cursor);
    if (!this.fits(request, answer)) faults.answer.add(1);
    request.then();
  }

  // fits: the answer tells of the channels that were asked for, each once.
  fits({ type, data }, answer) {
    if (type === "heartbeat") return answer.cursor !== undefined && answer.ts > 0;
    if (type === "unsubscribe") {
      answer.unsubscribed.forEach((channel) => this.channels.delete(channel));
      return same(answer.unsubscribed, data.channels) && answer.count === this.channels.size;
    }
    answer.subscribed.forEach((channel) => this.channels.add(channel));
    this.history += answer.history;
    return answer.count === this.channels.size && answer.rejected.every(({ code }) => code === "bad_channel") &&
      same(answer.subscribed, data.channels.filter((c) => c.includes("."))) &&
      same(answer.rejected.map(({ channel }) => channel), data.channels.filter((c) => !c.includes(".")));
  }

  covers(channel) {
    const [subject, event] = channel.split(".");
    return [channel, `*.${event}`, `${subject}.*`, "*.*"].some((pattern) => this.channels.has(pattern));
  }

  closed(code) {
    metrics.records.add(this.records);
    if (this.left && this.greeted <= 1) metrics.whole.add(1);
    else if (this.slow && !this.left && (code === 4000 || code === undefined)) metrics.slowClosed.add(1);
    else faults.close.add(1, { code: `${code}` });
  }
}

const same = (a, b) => a.length === b.length && a.every((one) => b.includes(one));
