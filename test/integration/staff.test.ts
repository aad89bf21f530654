/**
 * Staff at a whole counter, by the saypay program: money given back in parts and no more than there is, a sale taken
 * back, a receipt printed again, the day closed, with the ledger and without it.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Screen } from "../../daemon/display/screen.ts";
import { Counter } from "../support/counter.ts";
import { drivenSale, verdictOf } from "../support/driven-sale.ts";
import { type Said, saypay, staffOf } from "../support/staff.ts";
import type { Paper } from "../support/virtual-printer.ts";

const START_LIMIT_MS = 120_000;
const CASE_LIMIT_MS = 60_000;
const SETTINGS = {
  speaking: { rate: 400 },
  receipt: { retryMs: 500, attempts: 100 },
  payment: { answerMs: 3_000, queryMs: 1_000 },
};
/** Two iced americanos, see drivenSale. */
const PRICE = 9_000;

const counter = new Counter({ settings: SETTINGS });
const staff = staffOf(counter);

const sell = (): Promise<string> => drivenSale(counter, null, async () => undefined);

/** Resolves with the first paper that has this text, of those after the first `from`. */
async function paper(text: string | RegExp, from = 0): Promise<Paper> {
  const limit = performance.now() + 20_000;
  for (;;) {
    const found = counter
      .papers()
      .slice(from)
      .find(({ lines }) =>
        typeof text === "string" ? lines.join("\n").includes(text) : text.test(lines.join("\n")),
      );
    if (found !== undefined) return found;
    if (performance.now() > limit)
      throw new Error(`no paper says ${text}; ${JSON.stringify(counter.papers().slice(from), null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function json(...args: readonly string[]): Promise<readonly { readonly [field: string]: unknown }[]> {
  const { out, err } = await staff(...args, "--json");
  expect(err).toBe("");
  return out.split("\n").map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
}

type ToldSale = {
  readonly saleId: string;
  readonly amount: { readonly minor: string };
  readonly refundedMinor: string;
  readonly voided: boolean;
};
type BankCharge = {
  readonly orderId: string;
  readonly status: string;
  readonly amountMinor: string;
  readonly refundedMinor: string;
};

const won = (minor: number): string => `KRW ${minor.toLocaleString("en")}`;

beforeAll(() => counter.start(), START_LIMIT_MS);
afterAll(() => counter.stop());

describe("staff", { timeout: CASE_LIMIT_MS }, () => {
  let first = "";
  let second = "";

  it("sees the sales, newest first, with number, card and id", async () => {
    expect((await staff("sales")).out).toBe("no sales yet");
    first = await sell();
    second = await sell();
    const { status, out } = await staff("sales");
    expect(status).toBe(0);
    const [head, newest, older, ...more] = out.split("\n");
    expect(more).toEqual([]);
    expect(head).toMatch(/^No\. +Time +Amount +Card +State +Id$/);
    expect(newest).toMatch(new RegExp(`^ +2 +\\d\\d:\\d\\d +${won(PRICE)} +\\S+ +paid +${second}$`));
    expect(older).toContain(first);
    expect((await staff("sales", "--limit", "1")).out.split("\n")).toHaveLength(2);
  });

  it("gives back a part, then the rest, and never more", async () => {
    const before = counter.papers().length;
    const part = await staff("refund", "1", "--amount", "4,500");
    expect(part).toMatchObject({ status: 0, out: `done: KRW 4,500 of sale 1 went back to the card` });
    const slip = await paper("환불 완료", before);
    expect(slip.lines.join("\n")).toMatch(/판매 금액 +9,000원\n환불 금액 +4,500원/);
    expect(slip.lines.join("\n")).toContain(first);
    expect((await staff("sales")).out).toMatch(/refunded KRW 4,500 +\S+$/m);

    const tooMuch = await staff("refund", first.slice(0, 8), "--amount", "4501");
    expect(tooMuch).toEqual({
      status: 1,
      out: "",
      err: "refused: that is more than is left of it (KRW 4,500)",
    });
    expect(await staff("void", "1")).toMatchObject({
      status: 1,
      err: "refused: part of it was given back already; refund the rest instead: saypay refund 1",
    });

    expect(await staff("refund", first)).toMatchObject({
      status: 0,
      out: "done: KRW 4,500 of sale 1 went back to the card",
    });
    expect(await staff("refund", "1")).toMatchObject({
      status: 1,
      err: expect.stringContaining("nothing is left"),
    });
    await paper(/환불 금액 +4,500원/, before + 1);
    const { transactions, balanced } = await counter.statement();
    expect(balanced).toBe(true);
    expect(transactions.filter(({ saleId }) => saleId === first)).toHaveLength(1);
  });

  it("takes a whole sale back, once", async () => {
    const before = counter.papers().length;
    expect(await staff("void", "2")).toMatchObject({
      status: 0,
      out: `done: ${won(PRICE)} of sale 2 went back to the card`,
    });
    const slip = await paper("취소 완료", before);
    expect(slip.lines.join("\n")).toContain(second);
    expect(await staff("void", "2")).toMatchObject({
      status: 1,
      err: "refused: the sale was voided already",
    });
    expect(await staff("refund", "2")).toMatchObject({
      status: 1,
      err: "refused: the sale was voided already",
    });
    expect((await staff("sales")).out).toMatch(/voided/);
  });

  it("prints a receipt again, marked COPY", async () => {
    const before = counter.papers().length;
    expect(await staff("reprint", "1")).toMatchObject({ status: 0, out: "printing a COPY of sale 1" });
    const copy = await paper(first, before);
    expect(copy.lines.filter((line) => line.includes("재발행 / COPY"))).toHaveLength(2);
    expect(copy.lines.join("\n")).toContain("영 수 증");
  });

  it("without the ledger hands out a slip that says that no money has moved, and one more when it has", async () => {
    const saleId = await sell();
    const before = counter.papers().length;
    counter.network.cut();
    await until(async () => !(await counter.health()).linkUp);
    const offline = await sell();
    const asked = await staff("refund", saleId, "--amount", "1000", "--wait", "0");
    expect(asked.status).toBe(4);
    expect(asked.out).toMatch(/^queued: \S+ goes out when the ledger can be reached/);
    await paper(/환불 대기 중.*환불 요청 금액 +1,000원/s, before);

    const { out } = await staff("open");
    expect(out).toMatch(new RegExp(`sold offline +${won(PRICE)} .*${offline}/1`));
    expect(out).toMatch(new RegExp(`refund +KRW 1,000 .*${saleId}/refund-`));
    expect((await staff("status")).out).toMatch(/ledger: not connected.*waits: 1 charges, 1 refunds/s);

    counter.network.mend();
    await paper(/환불 완료.*환불 금액 +1,000원/s, before);
    await counter.whenDrained();
    expect((await staff("open")).out).toBe("nothing waits for the ledger");
    expect((await staff("status")).out).toMatch(/^counter-1: may sell\n/);
  });

  it("gets a slip again as COPY when the roll ran out in the middle, and a customer's receipt all the same", async () => {
    await counter.printer.act("paper-out", { afterLines: 8 });
    const before = counter.papers().length;
    expect(await staff("refund", "3", "--amount", "500")).toMatchObject({ status: 0 });
    // A roll that is changed before anybody has noticed goes on where the old one ended.
    await until(async () =>
      (await counter.watcher.get<Screen>("/state")).troubles.some((trouble) => trouble === "paper-out"),
    );
    expect((await staff("status")).out).toContain("1 papers");
    await counter.printer.act("ok");
    const slip = await paper("재발행된 전표입니다", before);
    expect(slip.lines.join("\n")).toMatch(/환불 완료.*환불 금액 +500원/s);
    expect((await staff("refund", "3", "--amount", "500")).status).toBe(0);
    const printed = counter.papers().length;
    expect(await verdictOf(counter, await sell())).toMatchObject({ originals: 1, copies: 0 });
    await paper(/환불 금액 +500원/, printed);
  });

  it("stops waiting for a charge only when it means it", async () => {
    counter.network.cut();
    await until(async () => !(await counter.health()).linkUp);
    const saleId = await sell();
    const unsure = await staff("dismiss", `${saleId}/1`);
    expect(unsure).toMatchObject({ status: 1, err: expect.stringContaining("--yes") });
    expect(await staff("dismiss", "no-such-key", "--yes")).toMatchObject({ status: 3 });
    expect(await staff("dismiss", saleId, "--yes")).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^dismissed/),
    });
    expect((await staff("open")).out).toBe("nothing waits for the ledger");
    counter.network.mend();
    await counter.whenDrained();
  });

  it("closes the day: totals by method, money given back, dismissed, and a new day", async () => {
    const before = counter.papers().length;
    const [closed] = await json("close-day");
    const { report } = (closed?.["answer"] ?? {}) as {
      report: { totals: object; netMinor: string; day: number };
    };
    // Six sales, two of them offline; refunds of 9,000 in two parts and of 1,000 twice 500; one void, one dismissed.
    expect(report).toMatchObject({
      day: 1,
      totals: {
        card: { count: 4, minor: String(4 * PRICE) },
        cardOffline: { count: 2, minor: String(2 * PRICE) },
        refunds: { count: 5, minor: String(PRICE + 2_000) },
        voids: { count: 1, minor: String(PRICE) },
        declinedAfter: { count: 0, minor: "0" },
        dismissed: { count: 1, minor: String(PRICE) },
      },
      netMinor: String(6 * PRICE - PRICE - 2_000 - PRICE - PRICE),
      queued: { count: 0 },
      refundsQueued: { count: 0 },
      firstNumber: 1,
      lastNumber: 6,
    });
    const text = (await paper("일 일 마 감", before)).lines.join("\n");
    expect(text).toMatch(
      /카드 +4 +36,000\n카드\(오프라인 승인\) +2 +18,000\n매출 합계 +6 +54,000\n환불 +5 +-11,000/,
    );
    expect(text).toMatch(/순매출 +25,000원/);

    const yesterday = await staff("refund", "5");
    expect(yesterday).toMatchObject({ status: 3, err: expect.stringContaining("earlier day") });
    const [{ sales }] = (await json("sales")) as unknown as [{ sales: { saleId: string; number: number }[] }];
    const idOf = (wanted: number): string => sales.find(({ number }) => number === wanted)?.saleId ?? "";
    const [third, fourth] = [idOf(3), idOf(4)];
    expect(await staff("void", fourth)).toMatchObject({
      status: 1,
      err: `refused: its day is closed; refund it instead: saypay refund ${fourth}`,
    });
    expect(await staff("refund", third)).toMatchObject({
      status: 0,
      out: "done: KRW 7,000 of sale 3 went back to the card",
    });
    expect((await staff("close-day", "--language", "en")).out).toBe(
      "day 2 closed: 0 sales, net KRW -7,000; not settled yet: 0 sales (KRW 0) and 0 refunds (KRW 0); the report is printing",
    );
    await paper("DAY CLOSE", before);
  });

  it("has the ledger's word on a sale that it does not know itself", async () => {
    const stranger = randomUUID();
    expect(await staff("refund", stranger)).toMatchObject({
      status: 3,
      err: expect.stringContaining("--amount"),
    });
    expect(await staff("reprint", stranger)).toMatchObject({
      status: 3,
      err: expect.stringContaining("knows no such sale"),
    });
    expect(await staff("refund", stranger, "--amount", "1,000")).toMatchObject({
      status: 1,
      err: "refused by the ledger: no money was taken for that sale",
    });
  });

  it("tells the same of every sale as the ledger's books and the bank", async () => {
    const [{ sales }] = (await json("sales")) as unknown as [{ sales: readonly ToldSale[] }];
    const { transactions, balanced } = await counter.statement();
    const { charges } = (await counter.bankCharges()) as { charges: readonly BankCharge[] };
    expect(balanced).toBe(true);
    const told = sales.map(({ saleId, amount, refundedMinor, voided }) => [
      saleId,
      voided ? 0n : BigInt(amount.minor) - BigInt(refundedMinor),
    ]);
    const kept = (saleId: string): bigint =>
      charges
        .filter(({ orderId, status }) => orderId === saleId && status === "charged")
        .reduce((sum, charge) => sum + BigInt(charge.amountMinor) - BigInt(charge.refundedMinor), 0n);
    expect(sales.map(({ saleId }) => [saleId, kept(saleId)])).toEqual(told);
    const books = (saleId: string): bigint =>
      transactions
        .filter((entry) => entry.saleId === saleId && entry.state === "approved")
        .reduce((sum, entry) => sum + BigInt(entry.amountMinor) - BigInt(entry.refundedMinor), 0n);
    expect(sales.map(({ saleId }) => [saleId, books(saleId)])).toEqual(told);
  });

  it("finds its terminal by the environment or the data folder, and everything again after a restart", async () => {
    await counter.daemon.end("SIGKILL");
    const config = `${counter.folder}/saypay.yaml`;
    const gone = await staff("status");
    expect(gone).toMatchObject({ status: 69, err: expect.stringContaining("does not run") });
    await counter.startDaemon();
    await counter.whenReady();
    const [byFile, byFolder, byEnvironment]: Said[] = await Promise.all([
      staff("sales"),
      saypay(["sales", "--data", `${counter.folder}/data`]),
      saypay(["sales"], { env: { SAYPAY_CONFIG: config } }),
    ]);
    expect(byFile?.out.split("\n")).toHaveLength(7);
    expect(byFolder).toEqual(byFile);
    expect(byEnvironment).toEqual(byFile);
  });

  it("verifies the journal of a terminal that is stopped, and of no other", async () => {
    expect(await staff("journal", "verify")).toMatchObject({
      status: 75,
      err: expect.stringContaining("another daemon uses this journal"),
    });
    await counter.daemon.end();
    const verified = await staff("journal", "verify");
    expect(verified).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^the journal is whole: \d+ events$/),
    });
    overwrite(counter.journal, 0.6);
    expect(await staff("journal", "verify")).toMatchObject({
      status: 65,
      err: expect.stringContaining("does not verify"),
    });
  });
});

/** Puts other bytes into a file, at this part of its length. */
function overwrite(path: string, part: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, Math.floor(bytes.length * part), Math.floor(bytes.length * part) + 2_000);
  writeFileSync(path, bytes);
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 20));
}
