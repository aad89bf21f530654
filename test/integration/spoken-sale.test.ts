/**
 * Sales at a whole counter: spoken through a real sound path, tapped on a real PC/SC stack, printed through a real
 * serial path, cleared by the real ledger.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { Counter } from "../support/counter.ts";
import { Customer } from "../support/customer.ts";
import { verdictOf } from "../support/driven-sale.ts";
import { Program } from "../support/program.ts";

const LIMIT_MS = 90_000;

let counter: Counter;
let customer: Customer;

beforeAll(async () => {
  counter = new Counter({ settings: { speaking: { rate: 300 }, receipt: { retryMs: 500 } } });
  await counter.start();
  customer = new Customer(counter, "ko");
}, 120_000);

afterAll(() => counter.stop());

/** Wakes the terminal, orders by voice and says yes; resolves when a card is awaited. */
async function upToTheCard(order: string): Promise<string> {
  const mark = counter.watcher.mark;
  const { saleId } = await counter.wake();
  await customer.order(order, mark);
  await customer.say("네", "awaiting-card");
  return saleId;
}

describe("a spoken sale", () => {
  it("is heard, read back, confirmed, tapped, approved, printed and in the books", {
    timeout: LIMIT_MS,
  }, async () => {
    const sale = await customer.buy({
      order: "아이스 아메리카노 두 잔이랑 치즈케이크 한 조각 주세요",
      yes: "네",
    });
    expect(sale.lines.map(({ itemId, quantity, optionIds }) => ({ itemId, quantity, optionIds }))).toEqual([
      { itemId: "americano", quantity: 2, optionIds: { temperature: "iced", size: "regular" } },
      { itemId: "cheesecake", quantity: 1, optionIds: {} },
    ]);
    expect(sale).toMatchObject({ mode: "online", closed: { ending: "approved" } });
    expect(String(sale.total.minor)).toBe("15500");
    expect(await verdictOf(counter, sale.saleId)).toEqual({ books: 1, charges: 1, originals: 1, copies: 0 });
    const receipt = counter.papers().at(-1)?.lines.join("\n") ?? "";
    expect(receipt).toMatch(/아메리카노 +4,500 +2 +9,000/);
    expect(receipt).toMatch(/15,500원/);
    expect(receipt).toMatch(/승인번호 +S\d+/);
  });

  it("records the latency of every stage", async () => {
    const { latencies } = await counter.watcher.latencies();
    const [last] = latencies;
    expect(last?.turns.length).toBeGreaterThanOrEqual(2);
    expect(last?.turns[0]?.endOfSpeechToReplyMs).toBeGreaterThan(100);
    expect(last?.tapToApprovedMs).toBeGreaterThan(0);
    expect(last?.approvedToPrintedMs).toBeGreaterThan(0);
  });

  it("can be changed after the read-back", { timeout: LIMIT_MS }, async () => {
    const mark = counter.watcher.mark;
    await counter.wake();
    await customer.order("카푸치노 두 잔 주세요", mark);
    const before = counter.watcher.mark;
    await customer.say("소금빵 하나 추가해 주세요", "heard");
    const { view } = await counter.watcher.next(
      "view",
      before,
      5_000,
      (seen) => seen.view.lines.length === 2,
    );
    expect(view.lines.map(({ itemId, quantity }) => `${quantity} ${itemId}`)).toEqual([
      "2 cappuccino",
      "1 salt-bread",
    ]);
    await counter.watcher.next("listening", before);
    await customer.say("취소할게요", "closed");
    expect(counter.watcher.seen.findLast((seen) => seen.kind === "closed")).toMatchObject({
      ending: "cancelled",
    });
  });

  it("is not made of silence or noise", { timeout: LIMIT_MS }, async () => {
    const mark = counter.watcher.mark;
    await counter.wake();
    await counter.watcher.next("listening", mark);
    const pcm = Int16Array.from({ length: 16_000 * 3 }, () => (Math.random() - 0.5) * 1_200);
    await counter.sound.say({ pcm, sampleRate: 16_000 });
    const { prompt } = await counter.watcher.next(
      "caption",
      mark,
      15_000,
      (seen) => seen.prompt !== "welcome",
    );
    expect(["no-input", "no-match"]).toContain(prompt);
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
  });
});

describe("at the card", () => {
  it.each(["wrong", "forged"])(
    "a %s card is refused, a genuine one is taken after it",
    { timeout: LIMIT_MS },
    async (card) => {
      const saleId = await upToTheCard("아메리카노 한 잔 주세요");
      const mark = counter.watcher.mark;
      await counter.tap(card);
      await counter.watcher.next("card-rejected", mark);
      await customer.pause(1_800);
      await counter.tap();
      await counter.watcher.next("closed", mark);
      expect(await verdictOf(counter, saleId)).toEqual({ books: 1, charges: 1, originals: 1, copies: 0 });
    },
  );

  it("a copy of an earlier tap is refused", { timeout: LIMIT_MS }, async () => {
    await upToTheCard("아메리카노 한 잔 주세요");
    const mark = counter.watcher.mark;
    await counter.tap("replay");
    expect(await counter.watcher.next("card-rejected", mark)).toMatchObject({ reason: "replayed" });
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
    await counter.watcher.next("closed", mark);
  });
});

describe("at the printer", () => {
  it("paper that ends in the middle: a COPY, and one charge", { timeout: LIMIT_MS }, async () => {
    const saleId = await upToTheCard("생수 두 병 주세요");
    await counter.printer.act("paper-out", { afterLines: 12 });
    const mark = counter.watcher.mark;
    await counter.tap();
    await counter.watcher.next("print-failed", mark);
    await counter.printer.act("ok");
    await counter.watcher.next("closed", mark);
    const verdict = await verdictOf(counter, saleId);
    expect(verdict).toMatchObject({ books: 1, charges: 1, copies: 1 });
  });
});

describe("afterwards", () => {
  it("the journal verifies and no log has a card token or a spoken word", { timeout: LIMIT_MS }, async () => {
    await counter.daemon.end();
    const log = readFileSync(join(counter.folder, "saypayd.log"), "utf8");
    expect(log).toContain('"msg":"sale closed"');
    expect(log).not.toMatch(/ntag424:|아메리카노|치즈케이크/);
    const store = new SqliteStore({ path: counter.journal, terminal: "counter-1" });
    store.open();
    expect(store.verify().events).toBeGreaterThan(20);
    expect(store.depth()).toBe(0);
    store.close();
  });

  it("a second daemon on the journal is refused with the way out", { timeout: LIMIT_MS }, async () => {
    await counter.startDaemon();
    const second = new Program("a second terminal", "daemon/main.js", join(counter.folder, "second.log"));
    await expect(second.start(["--config", join(counter.folder, "saypay.yaml")])).rejects.toThrow(
      /another daemon uses this journal/,
    );
    expect(await counter.health()).toMatchObject({ terminal: "counter-1" });
  });
});
