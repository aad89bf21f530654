/**
 * What every payment gateway promises the ledger (sync/ledger/gateways/gateway.ts). A gateway joins by a builder that
 * makes it able to approve, to decline, and to be asked from a fresh process on the same files.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChargeOrder, Gateway } from "../../sync/ledger/gateways/gateway.ts";
import { GATEWAYS } from "../../sync/ledger/gateways/registry.ts";
import { SANDBOX_SETTINGS, SandboxGateway } from "../../sync/ledger/gateways/sandbox/sandbox.ts";

type Bench = {
  readonly gateway: Gateway;
  /** Orders that this gateway approves, declines, leaves open; and loses, so that nobody answers. */
  readonly approved: ChargeOrder;
  readonly declined: ChargeOrder;
  readonly open: ChargeOrder;
  readonly lost: ChargeOrder;
  /** Charges that moved money, counted at the gateway and not through the contract. */
  readonly charged: () => number;
};

const folders: string[] = [];

function order(minor: bigint, key = `key-${minor}`): ChargeOrder {
  return {
    gatewayKey: key,
    merchant: "cafe",
    orderId: `order-${key}`,
    amount: { minor, currency: "KRW" },
    cardToken: "token-never-to-be-seen",
    mode: "online",
  };
}

const BUILDERS: Record<keyof typeof GATEWAYS, () => Promise<Bench>> = {
  sandbox: async () => {
    const folder = mkdtempSync(join(tmpdir(), "saypay-gateway-"));
    folders.push(folder);
    const settings = SANDBOX_SETTINGS.parse({ latencyMs: 0, lateMs: 60_000, pendingMs: 60_000 });
    const gateway = new SandboxGateway(settings, { folder, now: () => 1_795_000_000_000 });
    await gateway.open();
    return {
      gateway,
      approved: order(15_000n),
      declined: order(4_951n),
      open: order(4_909n),
      lost: order(4_991n),
      charged: () => gateway.charges().filter(({ status }) => status === "charged").length,
    };
  },
};

const patient = new AbortController().signal;

describe.each(Object.entries(BUILDERS))("gateway %s", (id, build) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await build();
  });
  afterEach(async () => {
    await bench.gateway.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  test("is registered under its own id", () => {
    expect(bench.gateway.id).toBe(id);
    expect(Object.entries(GATEWAYS).map(([name, kind]) => name === kind.id)).not.toContain(false);
  });

  test("approves, and says what it charged", async () => {
    const result = await bench.gateway.authorise(bench.approved, patient);
    expect(result).toMatchObject({
      kind: "success",
      charged: { amount: bench.approved.amount, orderId: bench.approved.orderId, merchant: "cafe" },
    });
    expect(await bench.gateway.query(bench.approved, patient)).toEqual(result);
    expect(bench.charged()).toBe(1);
  });

  test("charges one key once, however often and however much at once it is asked", async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => bench.gateway.authorise(bench.approved, patient)),
    );
    for (const result of results) expect(result).toEqual(results[0]);
    expect(bench.charged()).toBe(1);
  });

  test("never answers for another order under a key", async () => {
    await bench.gateway.authorise(bench.approved, patient);
    const other = { ...bench.approved, amount: { minor: 1_000n, currency: "KRW" } };
    const result = await bench.gateway.authorise(other, patient).catch((error: unknown) => error);
    expect(result).not.toMatchObject({ kind: "success" });
    expect(String(result instanceof Error ? result.message : "")).not.toContain("token-never-to-be-seen");
    expect(bench.charged()).toBe(1);
  });

  test("declines with a reason, and tells the same when asked", async () => {
    const result = await bench.gateway.authorise(bench.declined, patient);
    expect(result).toEqual({ kind: "failure", reason: "insufficient-funds" });
    expect(await bench.gateway.query(bench.declined, patient)).toEqual(result);
    expect(bench.charged()).toBe(0);
  });

  test("leaves an undecided charge pending", async () => {
    expect(await bench.gateway.authorise(bench.open, patient)).toMatchObject({ kind: "pending" });
    expect(await bench.gateway.query(bench.open, patient)).toMatchObject({ kind: "pending" });
  });

  test("does not know a key it never saw, and stops waiting when told", async () => {
    expect(await bench.gateway.query(bench.approved, patient)).toEqual({ kind: "not-found" });
    const impatient = new AbortController();
    const answer = bench.gateway.authorise(bench.lost, impatient.signal).catch(() => "gave up");
    setTimeout(() => impatient.abort(), 10);
    expect(await answer).not.toMatchObject({ kind: "success" });
    expect(bench.charged()).toBe(0);
  });

  test.each([
    ["an approved charge", "approved"],
    ["a declined charge", "declined"],
    ["an undecided charge", "open"],
  ] as const)("reverses %s, twice without harm", async (_name, which) => {
    await bench.gateway.authorise(bench[which], patient);
    expect(await bench.gateway.reverse(bench[which], patient)).toEqual({ kind: "success" });
    expect(await bench.gateway.reverse(bench[which], patient)).toEqual({ kind: "success" });
    expect(bench.charged()).toBe(0);
    expect(await bench.gateway.query(bench[which], patient)).not.toMatchObject({ kind: "success" });
  });

  test("a reversal that comes first keeps the charge from ever happening", async () => {
    expect(await bench.gateway.reverse(bench.approved, patient)).toEqual({ kind: "success" });
    expect(await bench.gateway.authorise(bench.approved, patient)).not.toMatchObject({ kind: "success" });
    expect(await bench.gateway.query(bench.approved, patient)).toEqual({ kind: "reversed" });
    expect(bench.charged()).toBe(0);
  });

  test("refunds once per refund key and never more than was charged", async () => {
    await bench.gateway.authorise(bench.approved, patient);
    const part = { ...bench.approved, refundKey: "r1", amount: { minor: 10_000n, currency: "KRW" } };
    expect(await bench.gateway.refund(part, patient)).toEqual({ kind: "success" });
    expect(await bench.gateway.refund(part, patient)).toEqual({ kind: "success" });
    expect(await bench.gateway.refund({ ...part, refundKey: "r2" }, patient)).toMatchObject({
      kind: "failure",
    });
    const rest = { ...part, refundKey: "r3", amount: { minor: 5_000n, currency: "KRW" } };
    expect(await bench.gateway.refund(rest, patient)).toEqual({ kind: "success" });
  });
});
