/** The queue survives an upgrade: a journal that the released program of version 1 wrote, opened by this one. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { EMPTY_TERMINAL, type OpenCharge, type TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import { step } from "../../daemon/core/step.ts";
import { stateBefore, upgradeEvent, upgradeState } from "../../daemon/core/upgrade.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { SETTINGS } from "../support/shop.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/journal/version-1.sqlite", import.meta.url));
const TERMINAL = "t-1";
/** Sales 2 and 3 were approved offline, sale 4 is at "authorising". */
const [SALE_2, SALE_3, SALE_4] = [
  "0b6f4a52-3c8e-4d7b-9a15-6e2d1f08c3a7",
  "c4d91e60-7f2a-4b38-8e5c-19a0b7d6f243",
  "91a7c2e5-08d4-4f6b-b3e1-5d7f2a9c6b80",
];

let folder: string;
let path: string;
let store: SqliteStore<SaleEvent, TerminalState>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-upgrade-"));
  path = join(folder, "journal.sqlite");
  copyFileSync(FIXTURE, path);
  store = new SqliteStore({ path, terminal: TERMINAL });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

/** Every byte of the tables that a sale hangs on. */
function contents(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return ["journal", "outbox", "dead_letter", "sqlite_sequence"].map((table) =>
      database.prepare(`SELECT * FROM ${table} ORDER BY 1`).raw().all(),
    );
  } finally {
    database.close();
  }
}

describe("an upgrade", () => {
  test("changes no byte of an event or of a request, sent or not", () => {
    const before = contents(FIXTURE);
    store.open();
    store.close();
    expect(contents(path)).toEqual(before);
  });

  test("keeps the queue in its order, with what was sent", () => {
    store.open();
    expect(store.pending(0, 10).map(({ position, id, sentCount }) => [position, id, sentCount])).toEqual([
      [2, `${SALE_2}/1:authorise`, 1],
      [3, `${SALE_3}/1:authorise`, 0],
      [4, `${SALE_4}/1:authorise`, 1],
    ]);
    expect([store.depth(), store.identity()]).toEqual([
      3,
      expect.objectContaining({ predecessor: null, boots: 1, lastOutboxPosition: 4 }),
    ]);
    const { bootNonce, openings } = store.identity();
    expect(openings).toEqual([bootNonce]);
    expect(store.lastCounter("ntag424:04DE5F1EACC040")).toBe(62);
    expect(store.verify()).toEqual({ events: 33 });
  });

  test("the state is completed, and the sale at the counter goes on", () => {
    const { state, statePosition } = store.open();
    expect(statePosition).toBe(33);
    const upgraded = upgradeState(state ?? EMPTY_TERMINAL);
    expect(upgraded).toMatchObject({
      standing: { kind: "welcome" },
      lastSequence: 4,
      openCharges: [{ saleId: SALE_2 }, { saleId: SALE_3 }],
      offlineTaps: [{ token: "ntag424:04AA11223344C5" }, { token: "ntag424:04DE5F1EACC040" }],
      sale: { id: SALE_4, phase: { kind: "authorising", charge: { key: `${SALE_4}/1` } } },
    });
    const answered = step(SETTINGS, upgraded, {
      kind: "ledger.answered",
      atMs: 1_795_174_210_000,
      answer: {
        requestId: `${SALE_4}/1:authorise`,
        key: `${SALE_4}/1`,
        outcome: {
          kind: "approved",
          authorisation: "A1",
          gateway: "sandbox",
          amount: { minor: 13_500n, currency: "KRW" },
        },
      },
    });
    expect(answered.state.sale?.phase).toMatchObject({ kind: "receipt", result: { kind: "approved" } });
  });

  test("the events fold under the new program to the same sale and the same open charges", () => {
    const { state: snapshot } = store.open();
    let settings: SaleSettings = SETTINGS;
    let state: TerminalState | undefined;
    for (const { event } of store.events()) {
      const now = upgradeEvent(event);
      if (now.kind === "settings.applied") settings = now.settings;
      state = step(settings, state ?? stateBefore(event), now).state;
    }
    const { sale, openCharges, lastSequence, standing, recent } = upgradeState(snapshot ?? EMPTY_TERMINAL);
    expect(state).toMatchObject({ lastSequence, standing, recent, sale: { phase: sale?.phase } });
    const keys = (charges: readonly OpenCharge[] = []) => charges.map(({ key, purpose }) => [key, purpose]);
    expect(keys(state?.openCharges)).toEqual(keys(openCharges));
  });

  test("the next append and opening are as of any journal", () => {
    const { state } = store.open();
    const commit = {
      events: [{ kind: "daemon.started", atMs: 1_795_174_210_000 }] as const,
      state: upgradeState(state ?? EMPTY_TERMINAL),
      outbox: [],
      acknowledged: [],
      cardCounters: [],
    };
    expect(store.append(commit)).toBe(34);
    store.close();
    store = new SqliteStore({ path, terminal: TERMINAL });
    const opened = store.open();
    expect([opened.statePosition, opened.state]).toEqual([34, commit.state]);
    expect([store.depth(), store.identity().boots]).toEqual([3, 2]);
    expect(store.identity().openings).toHaveLength(2);
    store.markWelcomed();
    expect(store.identity().openings).toEqual([store.identity().bootNonce]);
  });
});
