/** Writes the journal that continues another: its own id and chain, with all that the old one still proves. */
import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import type { DenyList } from "../wire/deny-list.ts";
import { genesis, type Link, nextLink, rowHash } from "./chain.ts";
import type { FoundBody, FoundRow, KeptEvent } from "./findings.ts";
import {
  NONE_WAITING,
  type Seal,
  type Snapshot,
  sealHash,
  snapshotHash,
  type Waiting,
  withRow,
} from "./seal.ts";
import {
  anchorHash,
  counterHash,
  denyListHash,
  identityHash,
  keptHash,
  refundHash,
  saleHash,
} from "./sealed-rows.ts";
import { translated } from "./sqlite-fault.ts";
import { closeUnsettled, openFile } from "./sqlite-file.ts";
import { type Statements, statementsOf } from "./statements.ts";

/** Rows that are written in one transaction: the log stays small and a full disk is found early. */
const ROWS_AT_ONCE = 5_000;

/** What the new journal begins with. Iterables are walked once, in this order. */
export type Inheritance = {
  readonly terminal: string;
  readonly predecessor: string | null;
  /** The event after which the first of `events` came; 0 when all of them are there. */
  readonly origin: number;
  readonly events: Iterable<string>;
  readonly kept: Iterable<KeptEvent>;
  readonly rows: Iterable<FoundRow>;
  /** Highest position that a row of the old outbox may have had. */
  readonly lastRow: number;
  readonly letters: Iterable<{ readonly id: string; readonly reason: string; readonly atMs: number }>;
  readonly counters: Iterable<readonly [token: string, counter: number]>;
  readonly sales: Iterable<FoundBody>;
  readonly refunds: Iterable<FoundBody>;
  readonly denyList: DenyList | null;
  /** Canonical JSON. */
  readonly state: string;
};

/** Makes the file and gives back the new journal's id. Throws Fault "journal.unwritable". */
export function writeSuccessor(path: string, inheritance: Inheritance): string {
  const database = openFile(path);
  try {
    const journalId = randomBytes(16).toString("hex");
    translated(path, () => {
      fill(database, statementsOf(database), inheritance, journalId);
      database.pragma("wal_checkpoint(TRUNCATE)");
    });
    database.close();
    return journalId;
  } catch (error) {
    closeUnsettled(database);
    throw error;
  }
}

function fill(
  database: Database.Database,
  statements: Statements,
  inheritance: Inheritance,
  journalId: string,
): void {
  const { terminal, predecessor, origin, lastRow, state: body } = inheritance;
  const inPieces = <Item>(items: Iterable<Item>, write: (item: Item) => void): void => {
    for (const piece of pieces(items)) database.transaction(() => piece.forEach(write)).immediate();
  };
  let head: Link = { position: origin, hash: genesis(terminal, journalId).hash };
  if (origin > 0) statements.saveAnchor.run(origin, head.hash, anchorHash(origin, head.hash));
  inPieces(inheritance.events, (event) => {
    head = nextLink(head, event);
    statements.insertRecord.run(head.position, event, head.hash);
  });
  let waiting: Waiting = NONE_WAITING;
  inPieces(inheritance.rows, (row) => {
    const hash = rowHash(row.position, row.id, row.request);
    writeRow(statements, row, hash);
    if (row.status === "waiting") waiting = withRow(waiting, { position: row.position, hash });
  });
  inPieces(inheritance.letters, ({ id, reason, atMs }) => statements.insertDeadLetter.run(id, reason, atMs));
  inPieces(inheritance.counters, ([token, counter]) =>
    statements.saveCounter.run(token, counter, counterHash(token, counter)),
  );
  inPieces(inheritance.sales, (sale) =>
    statements.insertSale.run(sale.saleId, sale.atMs, saleHash(sale.body), sale.body),
  );
  inPieces(inheritance.refunds, ({ name, saleId, atMs, body: refund }) =>
    statements.insertRefund.run(name, saleId, atMs, refundHash(refund), refund),
  );
  const { denyList } = inheritance;
  const { position, hash: link } = head;
  const snapshot: Snapshot = { link: head, body };
  const seal: Seal = { synced: true, journalId, head, waiting, lastRow };
  const identity = { terminal, journalId, predecessor, boots: 0, openings: [], clean: true };
  database
    .transaction(() => {
      if (denyList !== null)
        statements.saveDenyList.run(denyList.version, denyList.count, denyList.set, denyListHash(denyList));
      const { count, digest } = waiting;
      statements.saveSnapshot.run(position, link, snapshotHash(snapshot), body);
      statements.saveSeal.run(1, journalId, position, link, count, digest, lastRow, sealHash(seal));
      for (const { kind, position: at, body: event } of inheritance.kept)
        statements.keepEvent.run(kind, at, keptHash(at, event), event);
      statements.saveVerified.run(position, link);
      statements.saveIdentity.run(terminal, journalId, predecessor, 0, "", 1, identityHash(identity));
    })
    .immediate();
}

function writeRow(statements: Statements, row: FoundRow, hash: Uint8Array): void {
  const { position, id, request, status, createdMs, sentCount, acknowledgedMs, answer } = row;
  statements.inheritRow.run(
    position,
    id,
    request,
    hash,
    status,
    createdMs,
    sentCount,
    acknowledgedMs,
    answer,
  );
}

function* pieces<Item>(items: Iterable<Item>): Generator<readonly Item[]> {
  let piece: Item[] = [];
  for (const item of items) {
    piece.push(item);
    if (piece.length < ROWS_AT_ONCE) continue;
    yield piece;
    piece = [];
  }
  yield piece;
}
