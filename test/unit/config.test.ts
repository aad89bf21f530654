/** The daemon's settings and the page of them: what a person reads who repairs a file, and who writes one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../daemon/config.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { settingsPage } from "../../daemon/settings-page.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Each mistake, without the folder, and without what follows the place. */
function placesOf(settings: string, menu: string | null): readonly string[] {
  writeFileSync(join(folder, "saypay.yaml"), settings);
  if (menu !== null) writeFileSync(join(folder, "menu.yaml"), menu);
  try {
    readConfig(join(folder, "saypay.yaml"));
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    return cause.detail
      .split("\n")
      .filter((line) => line.startsWith(folder))
      .map((line) => line.slice(folder.length + 1).replace(/^(\S+ [\w.[\]]+): .*/, "$1"));
  }
  throw new Error("nothing was wrong");
}

const WRONG =
  "terminal: Counter 1\nmerchant: { name: a, registration: b, address: c, phone: d, representative: e }\nprinter: { path: /dev/lp0 }\nledger: { broker: 'mqtt://a', publicKey: k }\n";

describe("the mistakes of the settings", () => {
  it("are told with those of the menu", () => {
    expect(placesOf(`${WRONG}menu: menu.yaml\n`, "currency: 5\n")).toEqual(
      expect.arrayContaining(["saypay.yaml:1:11 terminal", "menu.yaml:1:11 currency"]),
    );
  });

  it("are told with a menu that is not there", () => {
    expect(placesOf(`${WRONG}menu: menu.yaml\n`, null)).toEqual(
      expect.arrayContaining([
        "saypay.yaml:1:11 terminal",
        expect.stringMatching(/^menu\.yaml: cannot be read/),
      ]),
    );
  });

  it("are told once when no menu is named", () => {
    const places = placesOf(WRONG, null);
    expect(places.filter((place) => place.endsWith(" menu"))).toHaveLength(1);
  });
});

describe("the page of settings", () => {
  it.each([
    ["| `menu` | string | required |"],
    ["| `printer.columns` | `32`, `42`, `48` | `42` |"],
    ["| `ledger.broker` | string | required |"],
    ["| `ledger.tls.ca` | string | required with `ledger.tls` |"],
    ["| `cardReader.keys.metaReadKeyHex` | string | required with `cardReader.keys` |"],
  ])("has the row %s", (row) => {
    expect(settingsPage()).toContain(`\n${row}`);
  });
});
