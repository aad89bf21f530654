/**
 * The program whose journal is recorded: `node journal-run.js FOLDER WRITES SEED SALES MISTAKE [PLAN]`. Sells by
 * script on a real store, every sale as PLAN says or each by chance, and marks each write when it has returned. WRITES
 * gets what was written, one line each. It ends as the power ends it, by SIGKILL, with everything still open.
 *
 * MISTAKE plants what the check has to find: "normal" and "off" are SQLite's weaker settings of `synchronous` behind
 * the back of the store, which asks for FULL and is told that it has it; "early" marks an append before it is made.
 */
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { EMPTY_TERMINAL } from "../../../daemon/core/sale.ts";
import { toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import type { Retention } from "../../../sync/store/store.ts";
import { SALE_PLANS, type SalePlan, SellingCounter } from "../selling.ts";
import { pick, randomOf } from "./disk.ts";
import { JOURNAL, type JournalWrite, plainOf, TERMINAL } from "./journal-writes.ts";
import { END, MARKS } from "./recorder.ts";
import { weaken } from "./weakening.ts";

const [, , folder = "", writesFile = "", seed = "", sales = "", mistake = "", plan] = process.argv;
/** Now and then the daemon is stopped and started again, which makes the journal one file and its log a new one. */
const REOPEN_EVERY = 7;
/** Offline sales are drained in heaps. */
const DRAIN_EVERY = 6;
/** Out of step with the openings: some are welcomed at once, some late. */
const WELCOME_EVERY = 5;
const FORGET_EVERY = 17;
const CLOSE_DAY_EVERY = 22;
const RETENTION: Retention = { keepMs: 120_000, keepEvents: 120 };

const marks = openSync(join(folder, MARKS), "w");
const writes: string[] = [];
if (mistake === "normal" || mistake === "off") weaken(mistake);

const store = new SqliteStore<SaleEvent, TerminalState>({ path: join(folder, JOURNAL), terminal: TERMINAL });
const { append, markSent, saveDenyList, markWelcomed, prune } = store;
let sent: string[] = [];
store.markSent = (id) => {
  sent.push(id);
  markSent.call(store, id);
};
store.append = (commit) => marked({ kind: "append", commit }, () => append.call(store, commit));
store.saveDenyList = (list) => marked({ kind: "deny", list }, () => saveDenyList.call(store, list));
store.markWelcomed = () => marked({ kind: "welcomed" }, () => markWelcomed.call(store));
store.prune = (retention, nowMs) =>
  marked({ kind: "prune", retention, nowMs }, () => prune.call(store, retention, nowMs));

store.open();
const random = randomOf(Number(seed));
const counter = new SellingCounter(store, EMPTY_TERMINAL, random);
counter.begin();
for (let sale = 1; sale <= Number(sales); sale += 1) {
  if (plan !== undefined) {
    counter.sell(plan as SalePlan);
    continue;
  }
  counter.sell(pick(random, SALE_PLANS));
  if (sale % DRAIN_EVERY === 0) counter.drain();
  if (sale % CLOSE_DAY_EVERY === 0) counter.closeDay();
  if (sale % FORGET_EVERY === 0) forget(sale);
  if (sale % WELCOME_EVERY === 0) store.markWelcomed();
  if (sale % REOPEN_EVERY === 0) reopen();
}
writeFileSync(writesFile, writes.join("\n"));
writeSync(marks, `${END}\n`);
process.kill(process.pid, "SIGKILL");

function marked<Result>(write: JournalWrite["write"], work: () => Result): Result {
  writes.push(toCanonicalJson(plainOf({ write, sent })));
  sent = [];
  if (mistake === "early") writeSync(marks, `${writes.length}\n`);
  const result = work();
  if (mistake !== "early") writeSync(marks, `${writes.length}\n`);
  return result;
}

function forget(version: number): void {
  store.saveDenyList({ version, count: 1, set: Uint8Array.of(version) });
  while (store.prune(RETENTION, counter.nowMs));
}

function reopen(): void {
  marked({ kind: "reopen" }, () => {
    store.close();
    store.open();
  });
  counter.start();
}
