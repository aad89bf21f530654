/**
 * A process that writes a journal until it is killed, for the tests of SIGKILL and of the lock.
 *
 *   node journal-writer.js FILE loop    appends until a Fault and prints each position that is committed
 *   node journal-writer.js FILE half    appends once, then dies by SIGKILL in the middle of a second transaction
 *   node journal-writer.js FILE hold    opens and waits
 *   node journal-writer.js FILE salvage salvages the file and prints what became of it
 */
import { writeSync } from "node:fs";
import { Fault } from "../../daemon/core/fault.ts";
import { salvageJournal } from "../../sync/store/salvage.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { Commit } from "../../sync/store/store.ts";
import { AUTHORISE } from "./messages.ts";

type Event = { readonly kind: string; readonly atMs: number; readonly note?: string };

const [, , path = "", mode] = process.argv;
const store = new SqliteStore<Event, { position: number }>({ path, terminal: "t1" });
if (mode !== "salvage") store.open();

function commit(position: number, events: readonly Event[]): Commit<Event, { position: number }> {
  const outbox = [{ id: `r${position}`, request: AUTHORISE }];
  return {
    events,
    state: { position },
    outbox,
    acknowledged: [],
    cardCounters: [{ token: "card", counter: position }],
  };
}

// Written at once and unbuffered: what was printed was committed before.
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

if (mode === "loop") {
  try {
    for (let position = 1; ; position += 1) {
      store.append(commit(position, [{ kind: "tick", atMs: position }]));
      say(String(position));
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(`fault ${error.code} ${error.retry}`);
  }
  try {
    store.append(commit(0, [{ kind: "tick", atMs: 0 }]));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(`still ${error.code}`);
  }
  store.close();
} else if (mode === "salvage") {
  const rules = {
    fold: () => ({ position: 0 }),
    resume: (state: { position: number }) => state,
    continues: () => true,
  };
  try {
    say(`saved ${salvageJournal({ path, terminal: "t1" }, "test", 0, rules).waiting}`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(`fault ${error.code}`);
  }
} else if (mode === "half") {
  store.append(commit(1, [{ kind: "whole", atMs: 1 }]));
  const deadly: Event = {
    kind: "deadly",
    atMs: 3,
    get note(): string {
      process.kill(process.pid, "SIGKILL");
      return "never";
    },
  };
  store.append(commit(2, [{ kind: "half", atMs: 2 }, deadly]));
} else {
  say("held");
  setInterval(() => undefined, 60_000);
}
