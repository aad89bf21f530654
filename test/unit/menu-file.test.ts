import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig, saleSettings } from "../../daemon/config.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { makeDataFolder } from "../../daemon/data-folder.ts";
import { parseMenu, readMenu } from "../../daemon/menu-file.ts";
import { settingsPage } from "../../daemon/settings-page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function mistakesIn(read: () => unknown): string[] {
  try {
    read();
  } catch (fault) {
    if (fault instanceof Fault && fault.code === "settings.invalid")
      return fault.message.split("\n").slice(1);
    throw fault;
  }
  return [];
}

const GOOD = `
currency: KRW
optionGroups:
  - id: size
    default: small
    values:
      - { id: small, names: { ko: [작은] } }
      - { id: large, names: { ko: [큰] }, priceDelta: 500 }
items:
  - { id: tea, names: { ko: [차] }, price: 1000, counter: 잔, options: [size] }
`;

describe("the menu file", () => {
  it("reads amounts as bigint and fills in what is left out", () => {
    const menu = parseMenu(GOOD, "menu.yaml");
    expect(menu.vatPercent).toBe(10);
    expect(menu.items[0]).toMatchObject({ id: "tea", price: 1_000n, options: ["size"] });
    expect(menu.optionGroups[0]?.values.map((value) => value.priceDelta)).toEqual([0n, 500n]);
  });

  it("reads the example", () => {
    expect(readMenu(join(root, "daemon/menu.example.yaml")).items.length).toBeGreaterThan(10);
  });

  const mistakes: [name: string, from: string, to: string, expected: RegExp][] = [
    ["no currency", "currency: KRW", "", /currency: is missing/],
    ["bad currency", "KRW", "won", /:2:11 currency: an ISO 4217 code/],
    ["fraction of a won", "1000", "1000.5", /:10:\d+ items\[0\]\.price/],
    ["negative price", "1000", "-5", /items\[0\]\.price: a price cannot be negative/],
    [
      "negative with its options",
      "priceDelta: 500",
      "priceDelta: -1001",
      /items\[0\]\.price: with its cheapest options it would cost -1/,
    ],
    ["no name", "{ ko: [차] }", "{}", /items\[0\]\.names: give a name in at least one language/],
    [
      "unknown option group",
      "options: [size]",
      "options: [size, heat]",
      /items\[0\]\.options\[1\]: there is no option group "heat"/,
    ],
    [
      "default that is no value",
      "default: small",
      "default: tiny",
      /:5:14 optionGroups\[0\]\.default: "tiny" is not one/,
    ],
    ["value twice", "id: large", "id: small", /optionGroups\[0\]\.values\[1\]\.id: "small" is used twice/],
    ["misspelt key", "counter:", "countr:", /countr: unknown setting; did you mean "counter"/],
    ["bad id", "id: tea", "id: 차", /items\[0\]\.id: use lower-case/],
    ["not YAML", "items:", "items: [", /menu\.yaml:\d+:\d+/],
  ];

  it.each(mistakes)("names the mistake and its line: %s", (_, from, to, expected) => {
    expect(mistakesIn(() => parseMenu(GOOD.replace(from, to), "menu.yaml")).join("\n")).toMatch(expected);
  });

  it("names all mistakes at once", () => {
    const text = GOOD.replace("KRW", "won").replace("1000", "-5").replace("default: small", "default: tiny");
    expect(mistakesIn(() => parseMenu(text, "menu.yaml"))).toHaveLength(3);
  });
});

describe("the settings file", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "saypay-settings-"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("reads the example, with paths from the file's own folder", () => {
    const config = readConfig(join(root, "daemon/saypay.example.yaml"));
    expect(config.ledger.publicKey).toBe(join(root, "artifacts/ledger-data/ledger-key.pub.pem"));
    expect(config.cardReader.keyFile).toBe(join(root, "daemon/card-keys.json"));
    expect(saleSettings(config)).toMatchObject({
      terminal: "counter-1",
      offline: { perSaleMinor: 50_000n, totalMinor: 500_000n },
      quantities: { questionAbove: 10 },
    });
  });

  it("lists every mistake with its line", () => {
    const path = join(folder, "bad.yaml");
    writeFileSync(path, "terminal: T 1\nlanguge: ko\nmenu: m.yaml\nprinter: { path: foo, columns: 40 }\n");
    const mistakes = mistakesIn(() => readConfig(path));
    expect(mistakes.join("\n")).toMatch(/bad\.yaml:1:11 terminal/);
    expect(mistakes.join("\n")).toMatch(/bad\.yaml:2:1 languge: unknown setting; did you mean "language"/);
    expect(mistakes.join("\n")).toMatch(/bad\.yaml:4:\d+ printer\.path/);
    expect(mistakes.length).toBeGreaterThanOrEqual(6);
  });

  it("says which file cannot be read", () => {
    expect(() => readConfig(join(folder, "none.yaml"))).toThrow(/none\.yaml: cannot be read/);
  });

  it("has a page with every setting, its default and whether it is required", () => {
    const page = settingsPage();
    expect(page).toContain("| `terminal` | string | required |");
    expect(page).toContain(
      "| `offline.perSale` | integer 0 to 1000000000 | `50000` | largest sale without the ledger",
    );
    expect(page).toContain("| `printer.columns` |");
  });
});

describe("the data folder", () => {
  it("is made with the one above it, and refused elsewhere with the way out", () => {
    const folder = mkdtempSync(join(tmpdir(), "saypay-data-"));
    makeDataFolder(join(folder, "shop", "data"));
    makeDataFolder(join(folder, "shop", "data"));
    expect(statSync(join(folder, "shop", "data")).mode & 0o777).toBe(0o700);
    expect(() => makeDataFolder(join(folder, "no", "such", "data"))).toThrow(
      /cannot be written: ENOENT.*make the folder/,
    );
    expect(() => makeDataFolder("/proc/saypay")).toThrow(/cannot be written/);
    rmSync(folder, { recursive: true });
  });
});
