/**
 * What every payment gateway promises the ledger (sync/ledger/gateways/gateway.ts). A gateway joins by a builder that
 * makes it able to approve, to decline, and to be asked from a fresh process on the same files.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChargeOrder, Gateway, RefundOrder } from "../../sync/ledger/gateways/gateway.ts";
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
  /** Parts of `approved`, in minor units, that this gateway refuses to give back, and leaves undecided. */
  readonly refusedPart: bigint;
  readonly openPart: bigint;
  /** Parts whose first call gets no answer: lost before it takes effect, and answered too late. */
  readonly lostPart: bigint;
  readonly latePart: bigint;
  /** What was given back in all, in minor units, counted at the gateway. */
  readonly givenBack: () => bigint;
  /** The same gateway in a new process. */
  readonly restart: () => Promise<Gateway>;
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
    const start = async (): Promise<SandboxGateway> => {
      const started = new SandboxGateway(settings, { folder, now: () => 1_795_000_000_000 });
      await started.open();
      return started;
    };
    const gateway = await start();
    return {
      gateway,
      approved: order(15_000n),
      declined: order(4_951n),
      open: order(4_909n),
      lost: order(4_991n),
      charged: () => gateway.charges().filter(({ status }) => status === "charged").length,
      refusedPart: 4_951n,
      openPart: 4_909n,
      lostPart: 4_991n,
      latePart: 4_968n,
      givenBack: () => gateway.charges().reduce((sum, { refundedMinor }) => sum + refundedMinor, 0n),
      restart: start,
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

  describe("a refund", () => {
    const part = (minor: bigint, refundKey = `refund-${minor}`): RefundOrder => {
      const { gatewayKey, merchant, orderId } = bench.approved;
      return { gatewayKey, merchant, orderId, refundKey, amount: { minor, currency: "KRW" } };
    };
    /** Asks, and stops waiting after a moment. */
    const impatiently = async (order: RefundOrder): Promise<unknown> => {
      const impatient = new AbortController();
      const answer = bench.gateway.refund(order, impatient.signal).catch(() => "gave up");
      setTimeout(() => impatient.abort(), 20);
      return answer;
    };

    beforeEach(async () => {
      await bench.gateway.authorise(bench.approved, patient);
    });

    test("is given once per refund key, and all together never exceed the charge", async () => {
      expect(await bench.gateway.refund(part(10_000n, "r1"), patient)).toEqual({ kind: "success" });
      expect(await bench.gateway.refund(part(10_000n, "r1"), patient)).toEqual({ kind: "success" });
      expect(await bench.gateway.refund(part(10_000n, "r2"), patient)).toMatchObject({ kind: "failure" });
      expect(await bench.gateway.refund(part(5_000n, "r3"), patient)).toEqual({ kind: "success" });
      expect(await bench.gateway.refund(part(1n, "r4"), patient)).toMatchObject({ kind: "failure" });
      expect(bench.givenBack()).toBe(15_000n);
    });

    test("asked for many times at once is given once", async () => {
      const results = await Promise.all([1, 2, 3, 4].map(() => bench.gateway.refund(part(4_000n), patient)));
      expect(results).toEqual(results.map(() => ({ kind: "success" })));
      expect(bench.givenBack()).toBe(4_000n);
    });

    test("of parts that together are too much, asked for at once, is given as far as it fits", async () => {
      const asked = [1, 2, 3, 4].map((nth) => bench.gateway.refund(part(6_000n, `r${nth}`), patient));
      const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "success")).toHaveLength(2);
      expect(bench.givenBack()).toBe(12_000n);
    });

    test("of another amount under the same key is never answered as given", async () => {
      await bench.gateway.refund(part(4_000n, "r1"), patient);
      const result = await bench.gateway.refund(part(5_000n, "r1"), patient).catch((error: unknown) => error);
      expect(result).not.toMatchObject({ kind: "success" });
      expect(bench.givenBack()).toBe(4_000n);
    });

    test.each([
      ["lost before it takes effect", "lostPart", 0n],
      ["given and answered too late", "latePart", 1n],
    ] as const)("%s is given once when asked again, by a new process too", async (_what, which, already) => {
      const order = part(bench[which]);
      expect(await impatiently(order)).not.toMatchObject({ kind: "failure" });
      expect(bench.givenBack()).toBe(already * bench[which]);
      const restarted = await bench.restart();
      expect(await restarted.refund(order, patient)).toEqual({ kind: "success" });
      expect(await restarted.refund(order, patient)).toEqual({ kind: "success" });
      await restarted.close();
      expect(bench.givenBack()).toBe(bench[which]);
    });

    test("that is refused stays refused, and gives nothing back", async () => {
      expect(await bench.gateway.refund(part(bench.refusedPart), patient)).toMatchObject({ kind: "failure" });
      expect(await bench.gateway.refund(part(bench.refusedPart), patient)).toMatchObject({ kind: "failure" });
      expect(bench.givenBack()).toBe(0n);
    });

    test("that is undecided says so, holds its amount, and keeps the charge from being reversed", async () => {
      expect(await bench.gateway.refund(part(bench.openPart), patient)).toMatchObject({ kind: "pending" });
      expect(await bench.gateway.refund(part(bench.openPart), patient)).toMatchObject({ kind: "pending" });
      expect(await bench.gateway.refund(part(14_000n), patient)).toMatchObject({ kind: "failure" });
      expect(await bench.gateway.reverse(bench.approved, patient)).toMatchObject({ kind: "failure" });
      expect(bench.givenBack()).toBe(0n);
    });

    test("keeps the charge from being reversed", async () => {
      await bench.gateway.refund(part(4_000n), patient);
      expect(await bench.gateway.reverse(bench.approved, patient)).toMatchObject({ kind: "failure" });
      expect(bench.charged()).toBe(1);
    });

    test.each([
      ["reversed", "approved"],
      ["declined", "declined"],
      ["undecided", "open"],
    ] as const)("of a charge that was %s is refused", async (state, which) => {
      const charge = bench[which];
      await bench.gateway.authorise(charge, patient);
      if (state === "reversed") await bench.gateway.reverse(charge, patient);
      const { gatewayKey, merchant, orderId } = charge;
      const order = { gatewayKey, merchant, orderId, refundKey: "r", amount: { minor: 1n, currency: "KRW" } };
      expect(await bench.gateway.refund(order, patient)).toMatchObject({ kind: "failure" });
      expect(bench.givenBack()).toBe(0n);
    });
  });
});
