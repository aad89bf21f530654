/**
 * The program whose journal is recorded: `node journal-run.js FOLDER COMMITS SEED SALES MISTAKE`. Sells by script on a
 * real store and marks each append when it has returned. COMMITS gets what was appended, one line each.
 *
 * MISTAKE plants what the check has to find: "normal" and "off" are SQLite's weaker settings of `synchronous` behind
 * the back of the store, which asks for FULL and is told that it has it; "early" marks an append before it is made.
 */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { EMPTY_TERMINAL } from "../../../daemon/core/sale.ts";
import { toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import { SALE_PLANS, SellingCounter } from "../selling.ts";
import { pick, randomOf } from "./disk.ts";
import { JOURNAL, type JournalMistake, TERMINAL } from "./journal-cuts.ts";
import { MARKS } from "./recorder.ts";

const [, , folder = "", commitsFile = "", seed = "", sales = "", mistake = ""] = process.argv;
/** Now and then the daemon is stopped and started again, which makes the journal one file and its log a new one. */
const REOPEN_EVERY = 25;
/** Offline sales are drained in heaps. */
const DRAIN_EVERY = 6;

const marks = openSync(join(folder, MARKS), "w");
const commits: string[] = [];
weaken(mistake as JournalMistake);

const store = new SqliteStore<SaleEvent, TerminalState>({ path: join(folder, JOURNAL), terminal: TERMINAL });
const { append, markSent } = store;
let sent: string[] = [];
store.markSent = (id) => {
  sent.push(id);
  markSent.call(store, id);
};
store.append = (commit) => {
  commits.push(toCanonicalJson({ commit, sent }));
  sent = [];
  if (mistake === "early") writeSync(marks, `${commits.length}\n`);
  const position = append.call(store, commit);
  if (mistake !== "early") writeSync(marks, `${commits.length}\n`);
  return position;
};

store.open();
const random = randomOf(Number(seed));
const counter = new SellingCounter(store, EMPTY_TERMINAL, random);
counter.begin();
for (let sale = 1; sale <= Number(sales); sale += 1) {
  counter.sell(pick(random, SALE_PLANS));
  if (sale % DRAIN_EVERY === 0) counter.drain();
  if (sale % REOPEN_EVERY !== 0) continue;
  store.close();
  store.open();
}
// No close: a disk that loses its power is never closed, and the last log stays long.
closeSync(marks);
writeFileSync(commitsFile, commits.join("\n"));

function weaken(how: JournalMistake): void {
  if (how !== "normal" && how !== "off") return;
  const { pragma } = Database.prototype;
  Database.prototype.pragma = function (
    this: Database.Database,
    source: string,
    options?: Database.PragmaOptions,
  ) {
    if (source === "synchronous = FULL") return pragma.call(this, `synchronous = ${how}`, options);
    if (source === "synchronous") return 2;
    return pragma.call(this, source, options);
  };
}
