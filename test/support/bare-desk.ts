/**
 * The ledger without terminals, broker or wire, as a program of its own: hands the authorisations of a journal's outbox
 * to the clearing desk on SQLite storage and the settings' gateway, in order, each when the one before is answered.
 * Prints one JSON line: how many, how long, peak memory.
 *
 *   node dist/test/support/bare-desk.js LEDGER.yaml JOURNAL.sqlite FOLDER TERMINAL
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { ClearingDesk } from "../../sync/ledger/clearing-desk.ts";
import { GATEWAYS } from "../../sync/ledger/gateways/registry.ts";
import { SYSTEM_CLOCK } from "../../sync/ledger/ledger.ts";
import { merchantOf, readLedgerSettings } from "../../sync/ledger/settings.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { fromCanonicalJson } from "../../sync/store/canonical-json.ts";
import { peakMemoryMiB } from "./processes.ts";

export type BareRate = { readonly approved: number; readonly seconds: number; readonly peakMiB: number };

const [settingsFile, journal, folder, terminal] = process.argv.slice(2);
if (settingsFile === undefined || journal === undefined || folder === undefined || terminal === undefined)
  throw new Error("give LEDGER.yaml JOURNAL.sqlite FOLDER TERMINAL");

const settings = readLedgerSettings(settingsFile);
mkdirSync(folder, { recursive: true });
const storage = new SqliteLedgerStorage(join(folder, "ledger.sqlite"));
storage.open();
const { id, settings: given, timeoutMs } = settings.gateway;
const gateway = GATEWAYS[id].build(given, { folder, now: SYSTEM_CLOCK.now });
await gateway.open();
const { firstRetryMs, maxRetryMs } = settings.resolver;
const desk = new ClearingDesk({
  storage,
  gateway,
  clock: SYSTEM_CLOCK,
  patience: { gatewayTimeoutMs: timeoutMs, firstRetryMs, maxRetryMs },
  merchantOf: merchantOf(settings),
});

const database = new Database(journal, { readonly: true });
const requests = database
  .prepare<[], { request: string }>("SELECT request FROM outbox ORDER BY position")
  .all()
  .map(({ request }) => fromCanonicalJson(request) as LedgerRequest);
database.close();

const beganMs = performance.now();
let approved = 0;
for (const request of requests) {
  const outcome = await desk.handle(terminal, request);
  if (outcome.kind === "approved") approved++;
}
const seconds = (performance.now() - beganMs) / 1_000;
await gateway.close();
storage.close();
const rate: BareRate = { approved, seconds, peakMiB: peakMemoryMiB(process.pid) };
process.stdout.write(`${JSON.stringify(rate)}\n`);
