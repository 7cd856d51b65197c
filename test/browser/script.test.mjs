// The parts of the page's script that touch no page.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const source = ["text", "table", "chart", "topics"].map((n) => readFileSync(new URL(`../../internal/page/script/${n}.js`, import.meta.url), "utf8")).join("");
const script = runInNewContext(`(() => { ${source}
  return { count, rate, millis, span, size, plain, cut, clock, percent, plural, stateWords, ceiling, lines, path, remember, rememberAll, pointAt, past, chosen }; })()`, { Intl });
const { past } = script;
const same = (got, want) => assert.equal(JSON.stringify(got), JSON.stringify(want));

test("numbers", () => {
  const { count, rate, millis, span, size, percent, plural } = script;
  for (const [got, want] of [
    [count(0), "0"], [count(1234567), "1,234,567"], [count(12345678), "12.35M"], [count(1.8e19), "18,000,000.00T"], [count(NaN), "–"], [count(-5), "-5"],
    [rate(0), "0"], [rate(0.001), "0.1"], [rate(9.94), "9.9"], [rate(9.96), "10"], [rate(1234.6), "1,235"], [rate(undefined), "–"],
    [millis(0), "0.00 ms"], [millis(0.085), "0.09 ms"], [millis(9.94), "9.9 ms"], [millis(85.4), "85 ms"], [millis(999.4), "999 ms"], [millis(2500), "2.5 s"], [millis(NaN), "–"],
    [span(0), "0 s"], [span(0.5), "0.5 s"], [span(3), "3 s"], [span(61), "1 min 1 s"], [span(7260), "2 h 1 min"], [span(90000), "1 d 1 h"],
    [size(0), "0 B"], [size(-1), "0 B"], [size(999), "999 B"], [size(1000), "1.0 KiB"], [size(410 * 2 ** 20), "410 MiB"], [size(2 ** 62), "4096 PiB"],
    [percent(0.5), "50 %"], [percent(NaN), "–"], [plural(1, "worker"), "1 worker"], [plural(2000, "worker"), "2,000 workers"],
  ]) assert.equal(got, want);
});

test("names of others", () => {
  const { plain, cut, clock, stateWords } = script;
  assert.equal(plain("a\u0000\u001b\u007f\u009b\u202e\u2066\u200b\ufeffb"), "a\\u0000\\u001b\\u007f\\u009b\\u202e\\u2066\\u200b\\ufeffb");
  assert.equal(plain("<b>عربى €𝒳"), "<b>عربى €𝒳");
  assert.equal(plain(null), "null");
  assert.equal(cut("abcdef", 3), "abc…");
  assert.equal(cut("ab𝒳d", 3), "ab…");
  assert.equal(cut("abc", 3), "abc");
  assert.equal(clock(0), "00:00:00.000");
  assert.equal(clock(8.64e15 + 1), "8640000000000001");
  assert.equal(stateWords("gone"), "✕ gone");
  assert.equal(stateWords("<b>"), "? <b>");
});

test("the end of an axis", () => {
  for (const [max, least, want] of [[0, 10, 10], [10, 10, 10], [11, 10, 20], [21, 1, 40], [45, 1, 60], [61, 1, 80], [99, 1, 100], [0.3, 0.1, 0.4], [1234567, 10, 2e6]]) {
    assert.ok(Math.abs(script.ceiling(max, least) - want) < 1e-9 * want, `${max}: ${script.ceiling(max, least)}`);
  }
});

const point = (ts, v) => ({ ts, deliveries: v, records: 0, p50: v, p99: null, sessions: 0, lag: 0 });

test("a line has holes where nobody looked, and a dot where one value is", () => {
  past.interval = 1000;
  const x = (ts) => ts / 1000;
  same(script.lines([point(1000, 1), point(2000, null), point(3000, 3), point(60000, 4)], "p50", x, (v) => v), [[[1, 1], [3, 3]], [[60, 4]]]);
  same(script.lines([point(1000, 1)], "p99", x, (v) => v), []);
  assert.equal(script.path([[1, 2], [3, 4]]), "M1.0 2.0L3.0 4.0");
  assert.equal(script.path([[1, 2]]), "M1.0 2.0h0");
});

test("the past is five minutes, in order, and goes on over a restart", () => {
  past.points = [];
  for (let s = 0; s < 1000; s++) script.remember(point(s * 1000, s));
  assert.equal(past.points.length, 301);
  script.remember(point(999_000, 5)); // the same moment again
  assert.equal(past.points.length, 301);
  assert.equal(past.points[300].deliveries, 5);
  script.rememberAll({ interval_ms: 1000, ts: [1_010_000, 1_011_000], deliveries_per_s: [7, 8], records_per_s: [0, 0],
    latency_p50_ms: [null, 1], latency_p99_ms: [null, 2], sessions: [1, 1], lag: [0, 0] });
  assert.equal(past.points.at(-1).deliveries, 8);
  assert.equal(past.points.at(-3).ts, 999_000);
  script.rememberAll({ interval_ms: 1000, ts: [], deliveries_per_s: [], records_per_s: [], latency_p50_ms: [], latency_p99_ms: [], sessions: [], lag: [] });
  assert.ok(past.points.length > 200);
  assert.equal(script.pointAt(1_010_400).ts, 1_010_000);
  script.remember(point(5000, 1)); // the clock was set back
  same(past.points.map((p) => p.ts), [5000]);
});

test("partitions are chosen and ordered", () => {
  const d = { partition: [3, 1, 2, 0], owner: [1, null, 0, 1], lag: [0, 5, 9, 0], lag_s: [0, 2, 2, 0.5], records_per_s: [1, 4, 2, 3] };
  const numbers = (only, order) => script.chosen(d, only, order).map((i) => d.partition[i]);
  same(numbers("all", "number"), [0, 1, 2, 3]);
  same(numbers("behind", "lag"), [2, 1, 0]);
  same(numbers("orphans", "number"), [1]);
  same(numbers("all", "rate"), [1, 0, 2, 3]);
  same(numbers("all", "owner"), [1, 2, 3, 0]);
});
