/**
 * The program whose books are recorded: `node ledger-run.js FOLDER WRITES SEED SALES MISTAKE`. A clearing desk with the
 * sandbox gateway works on real books in FOLDER; each write of the storage is marked when it has returned, and WRITES
 * gets what the books held after it, one line each. It ends as the power ends it, by SIGKILL.
 *
 * MISTAKE: "none", or "normal", which is SQLite's weaker setting behind the back of the storage.
 */
import { openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LedgerRequest } from "../../../daemon/core/clearing.ts";
import { authorise, DeskWorld, query, refund, reverse } from "../ledger-desk.ts";
import { pick, type Random, randomOf } from "./disk.ts";
import { BOOKS, booksContentOf, WRITING } from "./ledger-cuts.ts";
import { END, MARKS } from "./recorder.ts";
import { weaken } from "./weakening.ts";

const [, , folder = "", writesFile = "", seed = "", sales = "", mistake = ""] = process.argv;
/** What the sandbox makes of the amount: mostly approved, see its behaviour.ts. */
const AMOUNTS = [15_000, 15_000, 15_000, 8_000, 15_951, 15_909, 15_910, 15_991, 15_968];
const RESOLVE_EVERY = 5;
const RESTART_EVERY = 18;
const RESOLVE_MS = 10_000;
const CARDS = 7;

const marks = openSync(join(folder, MARKS), "w");
const contents: string[] = [];

class RecordedDesk extends DeskWorld {
  override get books(): string {
    return join(folder, BOOKS);
  }

  override async start(): Promise<void> {
    await super.start();
    if (contents.length === 0) contents.push(booksContentOf(this.storage));
    for (const name of WRITING) this.#mark(name);
  }

  #mark(name: (typeof WRITING)[number]): void {
    const { storage } = this;
    const write = storage[name] as (...given: unknown[]) => unknown;
    const value = (...given: unknown[]): unknown => {
      const result = write.apply(storage, given);
      contents.push(booksContentOf(storage));
      writeSync(marks, `${contents.length - 1}\n`);
      return result;
    };
    Object.defineProperty(storage, name, { value });
  }
}

if (mistake === "normal") weaken(mistake);
const world = await new RecordedDesk().open();
const random = randomOf(Number(seed));
for (let sale = 1; sale <= Number(sales); sale += 1) {
  for (const request of requestsOf(sale, random)) await world.ask(request, `counter-${1 + (sale % 3)}`);
  if (sale % RESOLVE_EVERY === 0) await world.resolve(RESOLVE_MS);
  if (sale % RESTART_EVERY !== 0) continue;
  await world.crash();
  await world.start();
}
writeFileSync(writesFile, contents.join("\n"));
writeSync(marks, `${END}\n`);
// The gateway's own memory lies elsewhere and is nobody's afterwards.
rmSync(world.folder, { recursive: true, force: true });
process.kill(process.pid, "SIGKILL");

function requestsOf(sale: number, chance: Random): readonly LedgerRequest[] {
  const key = `s${sale}/1`;
  const minor = pick(chance, AMOUNTS);
  const card = { token: `ntag424:${sale % CARDS}`, masked: "****-4821", counter: sale };
  const mode = chance() < 0.3 ? "offline" : "online";
  const first = authorise(key, minor, { sequence: sale, card, mode });
  const half = Math.floor(minor / 2);
  return [
    first,
    ...pick<readonly LedgerRequest[]>(chance, [
      [],
      [first],
      [query(key)],
      [reverse(key)],
      [
        refund(`s${sale}/refund-a`, half),
        refund(`s${sale}/refund-b`, half),
        refund(`s${sale}/refund-c`, half),
      ],
      [reverse(`s${sale}/2`)],
    ]),
  ];
}
