import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sourceFiles, violationsOf } from "../../provisioning/import-rules.ts";

const FORBIDDEN: [file: string, line: string][] = [
  ["daemon/core/step.ts", 'import { readFileSync } from "node:fs";'],
  ["daemon/core/step.ts", 'import { z } from "zod";'],
  ["daemon/core/step.ts", 'import { Fault } from "../../drivers/driver.ts";'],
  ["daemon/shell/interpreter.ts", 'import { encode } from "../../sync/wire.ts";'],
  ["daemon/shell/interpreter.ts", 'import { pcsc } from "../../drivers/card-reader/pcsc.ts";'],
  ["drivers/printer/escpos.ts", 'import { x } from "../card-reader/pcsc.ts";'],
  ["drivers/printer/escpos.ts", 'import { x } from "../../sync/wire.ts";'],
  ["models/hearing/decoder.ts", 'export * from "../../drivers/driver.ts";'],
  ["sync/wire.ts", 'import type { Store } from "./store/store.ts";'],
  ["sync/store/store.ts", 'const x = await import("../uplink/uplink.ts");'],
  ["sync/ledger/main.ts", 'import { x } from "../store/store.ts";'],
  ["provisioning/import-rules.ts", 'import { x } from "../sync/ledger/main.ts";'],
  ["daemon/main.ts", 'import { x } from "../test/support/sound.ts";'],
];

const ALLOWED: [file: string, line: string][] = [
  ["daemon/core/step.ts", 'import { money } from "./money.ts";'],
  ["daemon/shell/interpreter.ts", 'import type { Driver } from "../../drivers/driver.ts";'],
  ["daemon/main.ts", 'import { x } from "../sync/store/sqlite.ts";'],
  ["drivers/printer/escpos.ts", 'import { Fault } from "../../daemon/core/fault.ts";'],
  ["sync/uplink/uplink.ts", 'import type { Store } from "../store/store.ts";'],
  ["test/unit/a.test.ts", 'import { x } from "../support/sound.ts";'],
];

describe("import directions", () => {
  it.each(FORBIDDEN)("%s may not have: %s", (file, line) => {
    expect(violationsOf(file, `${line}\n`)).toHaveLength(1);
  });

  it.each(ALLOWED)("%s may have: %s", (file, line) => {
    expect(violationsOf(file, `${line}\n`)).toEqual([]);
  });

  it("looks at the real tree", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const files = sourceFiles(root);
    expect(files).toContain("daemon/core/step.ts");
    expect(files.flatMap((file) => violationsOf(file, readFileSync(`${root}/${file}`, "utf8")))).toEqual([]);
  });
});
