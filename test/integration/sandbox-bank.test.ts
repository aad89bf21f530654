/** The sandbox's memory over upgrades and restarts: what it charged and gave back stays so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RefundOrder } from "../../sync/ledger/gateways/gateway.ts";
import { SANDBOX_SETTINGS, SandboxGateway } from "../../sync/ledger/gateways/sandbox/sandbox.ts";

const patient = new AbortController().signal;
let folder: string;
let nowMs: number;
let sandbox: SandboxGateway;

async function start(): Promise<void> {
  const settings = SANDBOX_SETTINGS.parse({ latencyMs: 0, pendingMs: 3_000 });
  sandbox = new SandboxGateway(settings, { folder, now: () => nowMs });
  await sandbox.open();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-bank-"));
  nowMs = 1_000;
});
afterEach(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

function part(refundKey: string, minor: bigint): RefundOrder {
  return {
    gatewayKey: "k1",
    merchant: "cafe",
    orderId: "o",
    refundKey,
    amount: { minor, currency: "KRW" },
  };
}

test("a bank of the first sandbox knows its refunds and takes new ones", async () => {
  const db = new Database(join(folder, "sandbox.sqlite"));
  db.exec(`
    CREATE TABLE charges (
      number INTEGER PRIMARY KEY, gateway_key TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL, merchant TEXT NOT NULL,
      minor INTEGER NOT NULL, currency TEXT NOT NULL, mode TEXT NOT NULL, status TEXT NOT NULL,
      behaviour TEXT NOT NULL, authorisation TEXT NOT NULL, refunded_minor INTEGER NOT NULL DEFAULT 0,
      calls INTEGER NOT NULL, decide_ms INTEGER, created_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE refunds (refund_key TEXT PRIMARY KEY, gateway_key TEXT NOT NULL, minor INTEGER NOT NULL) STRICT;
    INSERT INTO charges VALUES (1, 'k1', 'o', 'cafe', 15000, 'KRW', 'online', 'charged', 'approve', 'S1', 9000, 1, NULL, 1);
    INSERT INTO refunds VALUES ('r1', 'k1', 9000);`);
  db.close();
  await start();
  expect(await sandbox.refund(part("r1", 9_000n), patient)).toEqual({ kind: "success" });
  expect(await sandbox.refund(part("r2", 6_001n), patient)).toMatchObject({ kind: "failure" });
  expect(await sandbox.refund(part("r3", 6_000n), patient)).toEqual({ kind: "success" });
  expect(sandbox.charges().map(({ refundedMinor }) => refundedMinor)).toEqual([15_000n]);
});

describe("a refund", () => {
  beforeEach(async () => {
    await start();
    const order = {
      gatewayKey: "k1",
      merchant: "cafe",
      orderId: "o",
      amount: { minor: 15_000n, currency: "KRW" },
    };
    await sandbox.authorise({ ...order, cardToken: "t", mode: "online" }, patient);
  });

  test.each([
    ["pending", { kind: "success" }, 4_000n],
    ["pending-declined", { kind: "failure" }, 0n],
  ] as const)("that is %s decides itself in time, over a restart", async (behaviour, later, given) => {
    sandbox.plan({ operation: "refund", behaviour, count: 1 });
    expect(await sandbox.refund(part("r1", 4_000n), patient)).toMatchObject({ kind: "pending" });
    await sandbox.close();
    await start();
    expect(await sandbox.refund(part("r1", 4_000n), patient)).toMatchObject({ kind: "pending" });
    nowMs += 3_000;
    expect(await sandbox.refund(part("r1", 4_000n), patient)).toMatchObject(later);
    expect(sandbox.charges().map(({ refundedMinor }) => refundedMinor)).toEqual([given]);
  });

  test("that was lost and does not fit any more is refused", async () => {
    sandbox.plan({ operation: "refund", behaviour: "time-out", count: 1 });
    const impatient = AbortSignal.timeout(20);
    await sandbox.refund(part("r1", 10_000n), impatient).catch(() => undefined);
    expect(await sandbox.refund(part("r2", 10_000n), patient)).toEqual({ kind: "success" });
    expect(await sandbox.refund(part("r1", 10_000n), patient)).toMatchObject({ kind: "failure" });
    expect(sandbox.refunds().map(({ refundKey, status }) => `${refundKey} ${status}`)).toEqual([
      "r1 refused",
      "r2 refunded",
    ]);
  });

  test("takes no plan that was made for charges", async () => {
    sandbox.plan({ operation: "charge", behaviour: "not-honoured", count: 1 });
    expect(await sandbox.refund(part("r1", 4_000n), patient)).toEqual({ kind: "success" });
    expect(sandbox.plans()).toMatchObject([{ remaining: 1 }]);
  });

  test("whose caller leaves before it takes effect is not given", async () => {
    sandbox.plan({ operation: "refund", transitMs: 60_000, count: 1 });
    await sandbox.refund(part("r1", 4_000n), AbortSignal.timeout(20)).catch(() => undefined);
    expect(sandbox.refunds()).toEqual([]);
  });
});
