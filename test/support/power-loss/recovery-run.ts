/**
 * The program whose recovery is recorded: `node recovery-run.js FOLDER CONTENTS SEED SALES`. Opens the journal that a
 * power cut left in FOLDER, as the daemon does, and sells on. CONTENTS gets what the journal held after the opening and
 * after each append, one line each; each is marked when it has returned.
 */
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SaleEvent } from "../../../daemon/core/event.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import { recover } from "../../../daemon/shell/recovery.ts";
import { toCanonicalJson } from "../../../sync/store/canonical-json.ts";
import { SqliteStore } from "../../../sync/store/sqlite-store.ts";
import { SellingCounter } from "../selling.ts";
import { randomOf } from "./disk.ts";
import { contentOf, JOURNAL, TERMINAL } from "./journal-writes.ts";
import { END, MARKS } from "./recorder.ts";

const [, , folder = "", contentsFile = "", seed = "", sales = ""] = process.argv;
const marks = openSync(join(folder, MARKS), "w");
const contents: string[] = [];

const store = new SqliteStore<SaleEvent, TerminalState>({ path: join(folder, JOURNAL), terminal: TERMINAL });
const recovered = recover(store);
returned(true, recovered.state);
const { append } = store;
store.append = (commit) => {
  const position = append.call(store, commit);
  returned(commit.synced !== false, commit.state);
  return position;
};
const counter = new SellingCounter(store, recovered.state, randomOf(Number(seed)));
if (recovered.position === 0) counter.begin();
else counter.finish();
for (let sale = 0; sale < Number(sales); sale += 1) counter.sell("approved");
writeFileSync(contentsFile, contents.join("\n"));
writeSync(marks, `${END}\n`);
process.kill(process.pid, "SIGKILL");

function returned(durable: boolean, state: TerminalState): void {
  contents.push(toCanonicalJson({ durable, content: contentOf(store, state, []) }));
  writeSync(marks, `${contents.length}\n`);
}
