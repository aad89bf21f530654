/**
 * SIGKILL to every process of a counter at every moment of a sale, with the network and without it: after it is started
 * again the sale ends, is in the books once, was charged once, and at most one receipt is no COPY.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Counter } from "../support/counter.ts";
import { drivenSale, type Moment, verdictOf } from "../support/driven-sale.ts";
import { Mosquitto } from "../support/mosquitto.ts";

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
/** Short sentences and a short patience: the time that is tested is the machine's, not the customer's. */
const SETTINGS = {
  speaking: { rate: 400 },
  receipt: { retryMs: 500 },
  payment: { answerMs: 3_000, queryMs: 1_000 },
  // One card buys everything here.
  offline: { perCardPerHour: 1_000 },
};
const CASE_LIMIT_MS = 90_000;
const START_LIMIT_MS = 120_000;

let counter: Counter;

const kills = {
  async terminal(): Promise<void> {
    await counter.daemon.end("SIGKILL");
    await counter.startDaemon();
  },
  async ledger(): Promise<void> {
    await counter.ledger.end("SIGKILL");
    await counter.startLedger();
  },
  async child(name: string): Promise<void> {
    const { children } = await counter.health();
    const pid = children.find((child) => child.name === name)?.pid;
    if (pid === undefined) throw new Error(`${name} is not running`);
    process.kill(pid, "SIGKILL");
  },
};

async function expectSoldOnce(saleId: string): Promise<void> {
  counter.network.mend();
  await counter.whenDrained();
  const { books, charges, originals, copies } = await verdictOf(counter, saleId);
  expect({ books, charges }).toEqual({ books: 1, charges: 1 });
  expect(originals).toBeLessThanOrEqual(1);
  expect(originals + copies).toBeGreaterThanOrEqual(1);
}

async function goOffline(): Promise<void> {
  counter.network.cut();
  while ((await counter.health()).linkUp) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A case that failed leaves its sale behind; the next case begins at an idle counter. */
async function beIdle(): Promise<void> {
  counter.network.mend();
  if (!counter.daemon.isRunning) await counter.startDaemon();
  if (!counter.ledger.isRunning) await counter.startLedger();
  await counter.whenReady();
  await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
}

describe("with the ledger's own broker", () => {
  beforeAll(async () => {
    counter = new Counter({ settings: SETTINGS });
    await counter.start();
  }, START_LIMIT_MS);

  beforeEach(beIdle, CASE_LIMIT_MS);
  afterEach(() => counter.network.mend());
  afterAll(() => counter.stop());

  it.each(MOMENTS)("the terminal dies at %s", { timeout: CASE_LIMIT_MS }, async (moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, kills.terminal));
  });

  it.each(MOMENTS)("the ledger and its broker die at %s", { timeout: CASE_LIMIT_MS }, async (moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, kills.ledger));
  });

  it.each(DRIVER_KILLS)("%s dies at %s", { timeout: CASE_LIMIT_MS }, async (child, moment) => {
    await expectSoldOnce(await drivenSale(counter, moment, () => kills.child(child)));
  });

  it.each(MOMENTS)(
    "without the network, the terminal dies at %s",
    { timeout: CASE_LIMIT_MS },
    async (moment) => {
      await goOffline();
      await expectSoldOnce(await drivenSale(counter, moment, kills.terminal));
    },
  );

  it.each(["terminal", "ledger"] as const)(
    "the %s dies while the queue drains",
    { timeout: CASE_LIMIT_MS },
    async (name) => {
      await goOffline();
      const saleId = await drivenSale(counter, null, async () => {});
      counter.network.mend();
      await kills[name]();
      await expectSoldOnce(saleId);
    },
  );
});

describe("with a Mosquitto, mutual TLS and an access list", () => {
  let mosquitto: Mosquitto;

  beforeAll(async () => {
    mosquitto = await Mosquitto.start();
    counter = new Counter({ settings: SETTINGS, broker: mosquitto });
    await counter.start();
  }, START_LIMIT_MS);

  beforeEach(beIdle, CASE_LIMIT_MS);
  afterAll(async () => {
    await counter.stop();
    await mosquitto.stop();
  });

  const killBroker = async (): Promise<void> => {
    await mosquitto.kill();
    await mosquitto.resume();
  };

  it.each(["awaiting-card", "authorising", "receipt"] as const)(
    "the broker dies at %s",
    { timeout: CASE_LIMIT_MS },
    async (moment) => {
      await expectSoldOnce(await drivenSale(counter, moment, killBroker));
    },
  );

  it("the ledger dies at authorising while the broker lives", { timeout: CASE_LIMIT_MS }, async () => {
    await expectSoldOnce(await drivenSale(counter, "authorising", kills.ledger));
  });
});
