// The package as npm makes it, and its types as tsc sees them.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "./harness.mjs";

const js = fileURLToPath(new URL("..", import.meta.url));

test("npm packs what is needed, and no more", () => {
  const [pack] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: js, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  assert.deepEqual(pack.files.map((f) => f.path).sort(), ["README.md", "odin.d.ts", "odin.js", "package.json"]);
  const manifest = JSON.parse(readFileSync(join(js, "package.json")));
  assert.deepEqual([manifest.dependencies, manifest.type], [undefined, "module"]);
});

test("it has no import and no global but what browsers and Node share", () => {
  const code = readFileSync(join(js, "odin.js"), "utf8");
  assert.doesNotMatch(code, /^import|\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b|\bwindow\b|\bdocument\b/m);
});

// types checks usage.ts against the package, changed or not.
function types(change) {
  const work = mkdtempSync(join(tmpdir(), "odin-types-"));
  try {
    const installed = join(work, "node_modules/@odin-ws/client");
    mkdirSync(installed, { recursive: true });
    for (const file of ["package.json", "odin.js", "odin.d.ts"]) copyFileSync(join(js, file), join(installed, file));
    cpSync(fileURLToPath(new URL("types", import.meta.url)), work, { recursive: true });
    copyFileSync(join(js, "odin.js"), join(work, "written.js"));
    writeFileSync(join(work, "package.json"), '{"type":"module"}');
    if (change) {
      const declared = join(installed, "odin.d.ts");
      const before = readFileSync(declared, "utf8");
      assert.ok(before.includes(change[0]));
      writeFileSync(declared, before.replace(...change));
    }
    return spawnSync(process.env.TSC, ["-p", work], { encoding: "utf8" });
  } finally {
    rmSync(work, { recursive: true });
  }
}

test("the types are what users write and what the module exports", () => {
  const { status, stdout, stderr } = types();
  assert.equal(status, 0, stdout + stderr);
});

for (const change of [
  ["  cursor(): Cursor;", ""], // a method undeclared
  ["export function formatPos", "export function writePos"],
  ["  onRecord: (record", "  onRecord?: (record"],
  ["export class OverrunError extends OdinError {}", ""],
]) {
  test(`types that are wrong are noticed: ${change[0].trim()}`, () => {
    const { status, stdout } = types(change);
    assert.notEqual(status, 0);
    assert.match(stdout, /usage\.ts/);
  });
}
