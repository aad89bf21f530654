/** `saypayd --check`, as a person runs it before the terminal is started: the files that the settings name count too. */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KEYS = { metaReadKeyHex: "0".repeat(32), fileReadMasterKeyHex: "1".repeat(32) };
const SETTINGS = `terminal: counter-1
menu: menu.yaml
merchant: { name: a, registration: b, address: c, phone: d, representative: e }
printer: { path: /dev/usb/lp0 }
cardReader: { keyFile: card-keys.json }
ledger: { broker: "mqtt://127.0.0.1:1883", publicKey: ledger.pem }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-check-"));
  copyFileSync(join(ROOT, "daemon/menu.example.yaml"), join(folder, "menu.yaml"));
  writeFileSync(join(folder, "saypay.yaml"), SETTINGS);
  const { publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(folder, "ledger.pem"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(folder, "card-keys.json"), JSON.stringify(KEYS), { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(): { readonly status: number | null; readonly said: string } {
  const command = [join(ROOT, "dist/daemon/main.js"), "--check", "--config", join(folder, "saypay.yaml")];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, said: stdout + stderr };
}

test("settings whose files are there are valid", () => {
  expect(check()).toEqual({ status: 0, said: `${join(folder, "saypay.yaml")} is valid\n` });
});

test.each([
  ["ledger.pem", /ledger\.pem.*copy ledger-key\.pub\.pem/],
  ["card-keys.json", /card-keys\.json cannot be read/],
])("a missing %s is a mistake with a way out", (name, told) => {
  rmSync(join(folder, name));
  const { status, said } = check();
  expect(status).toBe(78);
  expect(said).toMatch(told);
});
