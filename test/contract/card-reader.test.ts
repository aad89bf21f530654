/**
 * What every card reader driver must do, on whatever reader a builder gives. The virtual builder runs the driver
 * against a real pcscd with a virtual NTAG 424 DNA. With SAYPAY_REAL_READER set to a part of a reader's name and
 * SAYPAY_CARD_KEYS to a key file, the same suite asks a person to tap cards of the shop on the real reader.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pcscCardReader } from "../../drivers/card-reader/pcsc.ts";
import { uidOf } from "../../drivers/card-reader/virtual/deck.ts";
import type { CardReaderEvent, Device } from "../../drivers/driver.ts";
import { startPcscService, startVirtualCard, TEST_CARD_KEYS } from "../support/pcsc.ts";

type CardKind = "genuine" | "wrong" | "forged" | "replay";

/** The hands at a reader. What only a virtual reader can do is null on a real one. */
type Bench = {
  readonly settings: unknown;
  readonly patienceMs: number;
  lay(card: CardKind | "genuine-second", slot?: number): Promise<void>;
  takeAway(slot?: number): Promise<void>;
  readonly faults: {
    hang(): Promise<void>;
    tear(): Promise<void>;
    killService(): Promise<void>;
    startService(): Promise<void>;
    /** When the card was laid down and first powered (milliseconds since the epoch), and what vpcd's transport cost. */
    times(): Promise<{
      readonly tappedAtMs: number;
      readonly poweredAtMs: number;
      readonly stalledMs: number;
    }>;
  } | null;
  close(): Promise<void>;
};

const NOTICED_MS = 500;
const TIMED_TAPS = 5;

async function virtualBench(): Promise<Bench> {
  const service = await startPcscService();
  const card = await startVirtualCard(service.port);
  return {
    settings: {
      socket: service.socket,
      readerName: "Virtual PCD",
      keys: TEST_CARD_KEYS,
      answerTimeoutMs: 600,
    },
    patienceMs: 6_000,
    lay: async (name, slot = 0) => void (await card.control("tap", { card: name, slot })),
    async takeAway(slot = 0) {
      const present = (await card.status())[slot]?.card !== null;
      await card.control("remove", { slot });
      // pcscd looks at a virtual reader every 400 ms; a card that is back sooner was never away.
      if (present) await new Promise((resolve) => setTimeout(resolve, NOTICED_MS));
    },
    faults: {
      hang: async () => void (await card.control("hang")),
      tear: async () => void (await card.control("tear")),
      killService: () => service.kill(),
      startService: () => service.start(),
      async times() {
        const [slot] = await card.status();
        const { tappedAtMs, poweredAtMs, stalledMs } = slot ?? {};
        return {
          tappedAtMs: tappedAtMs ?? NaN,
          poweredAtMs: poweredAtMs ?? NaN,
          stalledMs: stalledMs ?? NaN,
        };
      },
    },
    async close() {
      await card.stop();
      await service.stop();
    },
  };
}

async function realBench(readerName: string): Promise<Bench> {
  const say = (text: string): void => void process.stderr.write(`\n>>> ${text}\n`);
  return {
    settings: { readerName, keyFile: process.env["SAYPAY_CARD_KEYS"] },
    patienceMs: 30_000,
    lay: async (card) => say(`Lay a ${card} card on ${readerName}.`),
    takeAway: async () => say("Take the card away."),
    faults: null,
    close: async () => undefined,
  };
}

const realReader = process.env["SAYPAY_REAL_READER"];
cardReaderContract("a virtual NTAG 424 DNA behind pcscd", virtualBench);
if (realReader !== undefined) cardReaderContract(`the reader ${realReader}`, () => realBench(realReader));
else console.warn("SAYPAY_REAL_READER is not set: the suite ran on the virtual reader only");

function cardReaderContract(title: string, build: () => Promise<Bench>): void {
  describe(title, { timeout: 120_000 }, () => {
    let bench: Bench;
    let device: Device<"card-reader">;
    let events: { readonly event: CardReaderEvent; readonly atMs: number }[] = [];

    beforeAll(async () => {
      bench = await build();
    });
    afterAll(async () => {
      await bench.close();
    });
    beforeEach(async () => {
      events = [];
      device = await pcscCardReader.open(pcscCardReader.settings.parse(bench.settings), (event) => {
        events.push({ event, atMs: performance.timeOrigin + performance.now() });
      });
    });
    afterEach(async () => {
      await bench.takeAway(0);
      await bench.takeAway(1);
      await device.close();
    });

    /** Waits for the next event after those taken so far, whatever it is. */
    async function next(): Promise<{ readonly event: CardReaderEvent; readonly atMs: number }> {
      await expect.poll(() => events.length, { timeout: bench.patienceMs, interval: 5 }).toBeGreaterThan(0);
      const first = events.shift();
      if (first === undefined) throw new Error("no event");
      return first;
    }
    const nextEvent = async (): Promise<CardReaderEvent> => (await next()).event;
    async function nextCard(): Promise<Extract<CardReaderEvent, { kind: "card" }>> {
      const event = await nextEvent();
      if (event.kind !== "card") throw new Error(`a card was expected, not ${JSON.stringify(event)}`);
      return event;
    }
    async function silence(forMs: number): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, forMs));
      expect(events).toEqual([]);
    }

    test("a genuine tap is one card event with a token, and no identifier of the card", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("genuine");
      const card = await nextCard();
      expect(card.token).toMatch(/^ntag424:[0-9a-f]{40}$/u);
      if (build === virtualBench) {
        const identifier = Buffer.from(uidOf("genuine").reveal()).toString("hex");
        expect(JSON.stringify(card).toLowerCase()).not.toContain(identifier);
      }
      expect(card.masked).toBe(`****-${card.token.slice(-4).toUpperCase()}`);
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await silence(500);
    });

    test("the same card gives the same token and a counter that grows", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("genuine");
      const first = await nextCard();
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await device.command({ kind: "arm" });
      await bench.lay("genuine");
      const second = await nextCard();
      expect(second.token).toBe(first.token);
      expect(second.counter).toBeGreaterThan(first.counter);
    });

    test("a card that stays is not reported twice; a fresh tap is needed", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("genuine");
      await nextCard();
      await device.command({ kind: "arm" });
      await silence(1_000);
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await bench.lay("genuine");
      await nextCard();
    });

    test("a card that lay there before arming is read when armed, and not before", async () => {
      await bench.lay("genuine");
      await silence(1_000);
      await device.command({ kind: "arm" });
      await nextCard();
    });

    test("a card of somebody else is a wrong card", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("wrong");
      expect(await nextEvent()).toEqual({ kind: "rejected", reason: "wrong-card" });
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await bench.lay("genuine");
      await nextCard();
    });

    test("disarmed, cards come and go and nothing is read", async () => {
      await device.command({ kind: "arm" });
      await device.command({ kind: "disarm" });
      await bench.lay("genuine");
      await silence(1_000);
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
    });

    if (build !== virtualBench) return;
    const faults = (): NonNullable<Bench["faults"]> => {
      if (bench.faults === null) throw new Error("the virtual bench makes faults");
      return bench.faults;
    };

    test("a forged card is not verified", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("forged");
      expect(await nextEvent()).toEqual({ kind: "rejected", reason: "unverified" });
    });

    test("a copy of an earlier tap is a replay", async () => {
      await device.command({ kind: "arm" });
      await bench.lay("genuine");
      await nextCard();
      await bench.takeAway();
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await device.command({ kind: "arm" });
      await bench.lay("replay");
      expect(await nextEvent()).toEqual({ kind: "rejected", reason: "replayed" });
    });

    test("a card torn away in the middle says so, and the next tap counts", async () => {
      await device.command({ kind: "arm" });
      await faults().tear();
      await bench.lay("genuine");
      expect(await nextEvent()).toEqual({ kind: "rejected", reason: "torn-away" });
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await bench.lay("genuine");
      await nextCard();
    });

    test("two cards at once are refused, and after both are gone one counts", async () => {
      await bench.lay("genuine", 0);
      await bench.lay("genuine-second", 1);
      await silence(1_000);
      await device.command({ kind: "arm" });
      expect(await nextEvent()).toEqual({ kind: "rejected", reason: "two-cards" });
      await silence(300);
      await bench.takeAway(0);
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await bench.takeAway(1);
      expect(await nextEvent()).toEqual({ kind: "removed" });
      await bench.lay("genuine-second", 1);
      await nextCard();
    });

    test("a reader that stops answering is a fault, and recovers when it answers again", async () => {
      await device.command({ kind: "arm" });
      await faults().hang();
      await bench.lay("genuine");
      const reported = [await nextEvent(), await nextEvent()];
      expect(reported).toContainEqual({ kind: "rejected", reason: "reader-fault" });
      expect(reported).toContainEqual(expect.objectContaining({ kind: "fault", code: "card.reader-hung" }));
      await bench.takeAway();
      const after = [await nextEvent(), await nextEvent()].map(({ kind }) => kind);
      expect(after.toSorted()).toEqual(["recovered", "removed"]);
      await bench.lay("genuine");
      await nextCard();
    });

    test("a PC/SC service that dies is a fault, and the driver finds the next one", async () => {
      await device.command({ kind: "arm" });
      await faults().killService();
      expect(await nextEvent()).toEqual(
        expect.objectContaining({ kind: "fault", code: "card.service-down" }),
      );
      await silence(1_000);
      await faults().startService();
      expect(await nextEvent()).toEqual({ kind: "recovered" });
      await bench.lay("genuine");
      await nextCard();
    });

    test("from the card's first power to its event takes under 150 ms, the virtual reader's transport apart", async () => {
      const rounds: { readonly tapMs: number; readonly powerMs: number; readonly ownMs: number }[] = [];
      for (let round = 0; round < TIMED_TAPS; round += 1) {
        await device.command({ kind: "arm" });
        await bench.lay("genuine");
        const { event, atMs } = await next();
        expect(event.kind).toBe("card");
        const { tappedAtMs, poweredAtMs, stalledMs } = await faults().times();
        rounds.push({
          tapMs: atMs - tappedAtMs,
          powerMs: atMs - poweredAtMs,
          ownMs: atMs - poweredAtMs - stalledMs,
        });
        await bench.takeAway();
        expect((await nextEvent()).kind).toBe("removed");
      }
      const median = (name: "tapMs" | "powerMs" | "ownMs"): number =>
        rounds.map((round) => round[name]).toSorted((a, b) => a - b)[TIMED_TAPS >> 1] ?? NaN;
      const [tap, power, own] = [median("tapMs"), median("powerMs"), median("ownMs")].map((ms) =>
        ms.toFixed(0),
      );
      console.log(
        `card reader, median of ${TIMED_TAPS} taps: tap to event ${tap} ms (with pcscd's poll of 400 ms), ` +
          `power to event ${power} ms, of which ${own} ms are not vpcd's transport`,
      );
      expect(median("ownMs")).toBeLessThan(150);
    });
  });
}
