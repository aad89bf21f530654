/** Where a ledger's books can lie: a SQLite file and memory, behind one way to open them, to crash and to throw them away. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { book } from "../../sync/ledger/books-sqlite.ts";
import type { Charge } from "../../sync/ledger/charge.ts";
import { bookingOf, MemoryBooks, post } from "../../sync/ledger/memory-books.ts";
import { MemoryLedgerStorage } from "../../sync/ledger/memory-storage.ts";
import { type Step, transfersOf } from "../../sync/ledger/posting.ts";
import type { NewCharge, NewRefund, PromptLedgerStorage } from "../../sync/ledger/storage.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";

export type LedgerPlace = {
  /** A storage on these books, not opened yet. */
  storage(): PromptLedgerStorage;
  /** As SIGKILL leaves it: the lock of the storage that was open is gone, what was stored is there. */
  crash(storage: PromptLedgerStorage): void;
  /** Posts steps past the rules of a charge's life, to show what the books themselves refuse. */
  book(charge: Charge, steps: readonly Step[]): void;
  /** Payloads of the dead letters, by their length, and the length that was noted. */
  letters(): readonly { readonly kept: number; readonly bytes: number }[];
  dispose(): void;
};

export function sqliteLedgerPlace(): LedgerPlace {
  const folder = mkdtempSync(join(tmpdir(), "saypay-books-"));
  const path = join(folder, "ledger.sqlite");
  const behind = <Result>(work: (db: Database.Database) => Result): Result => {
    const db = new Database(path);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  return {
    storage: () => new SqliteLedgerStorage(path),
    crash: (storage) => storage.close(),
    book: (charge, steps) => behind((db) => db.transaction(() => book(db, charge, steps, 0)).immediate()),
    letters: () =>
      behind((db) =>
        db
          .prepare<unknown[], { kept: number; bytes: number }>(
            "SELECT length(payload) AS kept, bytes FROM dead_letters ORDER BY id",
          )
          .all(),
      ),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function memoryLedgerPlace(): LedgerPlace {
  const books = new MemoryBooks();
  return {
    storage: () => new MemoryLedgerStorage(books),
    crash: () => {
      books.holder = null;
    },
    book: (charge, steps) =>
      post(
        books,
        bookingOf(
          books,
          charge.id,
          steps.flatMap((step) => transfersOf(charge, step)),
        ),
      ),
    letters: () => books.deadLetters.map(({ payload, bytes }) => ({ kept: payload.length, bytes })),
    dispose: () => undefined,
  };
}

/** A charge as a desk opens it; every field can be replaced. */
export function newCharge(key: string, changes: Partial<NewCharge> = {}): NewCharge {
  const amount = { minor: 15_000n, currency: "KRW" };
  return {
    terminal: "counter-1",
    merchant: "cafe",
    gateway: "sandbox",
    key,
    bodyHash: `body of ${key}`,
    saleId: key.split("/")[0] ?? key,
    sequence: 1,
    amount,
    vat: { minor: 1_363n, currency: "KRW" },
    card: { token: `ntag424:${key}`, masked: "****-4821", counter: 1 },
    denied: false,
    outbox: null,
    mode: "online",
    lines: [{ itemId: "americano", name: "아메리카노", quantity: 1, options: { size: "large" }, amount }],
    timeMs: 1_795_000_000_000,
    nextResolveMs: 7_000,
    ...changes,
  };
}

/** A refund of a sale as a desk opens it; every field can be replaced. */
export function newRefund(key: string, minor: number, changes: Partial<NewRefund> = {}): NewRefund {
  return {
    terminal: "counter-1",
    merchant: "cafe",
    key,
    saleId: key.split("/")[0] ?? key,
    amount: { minor: BigInt(minor), currency: "KRW" },
    partialRefund: true,
    outbox: null,
    timeMs: 1_795_000_000_000,
    nextResolveMs: 7_000,
    ...changes,
  };
}
