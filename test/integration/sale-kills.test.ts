/**
 * SIGKILL to every process of a counter at every moment of a sale, with the network and without it: after starting it
 * again the sale ends, is in the books once, was charged once, and at most one receipt is no COPY.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Counter } from "../support/counter.ts";
import { drivenSale, type Moment, verdictOf } from "../support/driven-sale.ts";

const MOMENTS: readonly Moment[] = ["listening", "read-back", "awaiting-card", "authorising", "receipt"];
const DRIVER_KILLS: readonly [child: string, moment: Moment][] = [
  ["microphone", "listening"],
  ["hearing", "listening"],
  ["speaker", "read-back"],
  ["speaking", "read-back"],
  ["card-reader", "awaiting-card"],
  ["card-reader", "authorising"],
  ["printer", "authorising"],
  ["printer", "receipt"],
];
const CASE_LIMIT_MS = 90_000;

let counter: Counter;

beforeAll(async () => {
  // Short sentences and a short patience, because the time that is tested is the machine's, not the customer's.
  const settings = {
    speaking: { rate: 400 },
    receipt: { retryMs: 500 },
    payment: { answerMs: 3_000, queryMs: 1_000 },
  };
  counter = new Counter({ settings });
  await counter.start();
}, 120_000);

afterEach(() => {
  counter.network.mend();
});

afterAll(async () => {
  await counter.stop();
});

async function restartDaemon(): Promise<void> {
  await counter.daemon.end("SIGKILL");
  await counter.startDaemon();
}

async function restartLedger(): Promise<void> {
  await counter.ledger.end("SIGKILL");
  await counter.startLedger();
}

async function killChild(name: string): Promise<void> {
  const { children } = await counter.health();
  const pid = children.find((child) => child.name === name)?.pid;
  if (pid === undefined) throw new Error(`${name} is not running`);
  process.kill(pid, "SIGKILL");
}

async function expectSoldOnce(saleId: string): Promise<void> {
  counter.network.mend();
  await counter.whenDrained();
  const { books, charges, originals, copies } = await verdictOf(counter, saleId);
  expect({ books, charges }).toEqual({ books: 1, charges: 1 });
  expect(originals).toBeLessThanOrEqual(1);
  expect(originals + copies).toBeGreaterThanOrEqual(1);
  await counter.whenReady();
}

async function goOffline(): Promise<void> {
  counter.network.cut();
  while ((await counter.health()).linkUp) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("with the network", () => {
  it.each(MOMENTS)("the terminal dies at %s", { timeout: CASE_LIMIT_MS }, async (moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, restartDaemon));
  });

  it.each(MOMENTS)("the ledger and its broker die at %s", { timeout: CASE_LIMIT_MS }, async (moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, restartLedger));
  });

  it.each(DRIVER_KILLS)("%s dies at %s", { timeout: CASE_LIMIT_MS }, async (child, moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, () => killChild(child)));
  });
});

describe("without the network", () => {
  it.each(MOMENTS)("the terminal dies at %s", { timeout: CASE_LIMIT_MS }, async (moment) => {
    await goOffline();
    await expectSoldOnce(await drivenSale(counter, moment, restartDaemon));
  });

  it("the terminal dies while the queue drains", { timeout: CASE_LIMIT_MS }, async () => {
    await goOffline();
    const saleId = await drivenSale(counter, null, async () => {});
    counter.network.mend();
    await restartDaemon();
    await expectSoldOnce(saleId);
  });

  it("the ledger dies while the queue drains", { timeout: CASE_LIMIT_MS }, async () => {
    await goOffline();
    const saleId = await drivenSale(counter, null, async () => {});
    counter.network.mend();
    await restartLedger();
    await expectSoldOnce(saleId);
  });
});
