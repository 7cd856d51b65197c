// How far a session has got in each partition, and whether what it hears fits.
import { faults } from "./metrics.js";

// partition and offset of "topic:partition:offset".
function split(pos) {
  const colon = pos.lastIndexOf(":");
  return [pos.slice(0, colon), Number(pos.slice(colon + 1))];
}

export class Places {
  // exact: every offset is that of a record which this session has subscribed to,
  // so that one which is neither sent nor told as dropped is missing.
  constructor(exact) {
    this.exact = exact;
    this.at = {}; // partition → the last offset that was sent, or covered by a cursor
    this.told = {}; // partition → records told as dropped since
  }

  record(pos) {
    const [partition, offset] = split(pos);
    const at = this.at[partition];
    if (offset <= at) faults.disorder.add(1);
    else this.account(partition, offset - at - 1);
    this.at[partition] = offset;
  }

  gap(pos, dropped) {
    const [partition] = split(pos);
    this.told[partition] = (this.told[partition] || 0) + dropped;
  }

  // cursor of an answer: all up to there was sent or told. Behind a reset
  // (moved) it is where the session was put.
  cursor(cursor, moved) {
    for (const [topic, { offsets }] of Object.entries(cursor)) {
      offsets.forEach((offset, i) => this.covered(`${topic}:${i}`, offset, moved));
    }
  }

  covered(partition, offset, moved) {
    const at = this.at[partition];
    if (moved || offset === null) this.told[partition] = 0;
    else if (offset < at) faults.cursor.add(1);
    else this.account(partition, offset - at);
    this.at[partition] = offset === null ? undefined : offset;
  }

  // account for so many offsets that were passed over (NaN: not known).
  account(partition, passed) {
    const told = this.told[partition] || 0;
    if (this.exact && passed !== told && passed >= 0) faults.missing.add(Math.abs(passed - told));
    this.told[partition] = 0;
  }
}
