/**
 * The demonstration's story: a sale with the network, a sale without it, and the network's return. Every part is the
 * real one; see test/support/counter.ts for what is made of software.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Counter, LedgerStatement } from "../support/counter.ts";
import { Customer, type Sale } from "../support/customer.ts";
import { encodeWav } from "../support/wav.ts";
import { ms, type Timeline } from "./timeline.ts";

export type Script = {
  readonly language: "ko" | "en";
  readonly orders: readonly [string, string];
  /** Resolves when somebody wants to begin a sale; at once when nobody is asked. */
  readonly begin?: () => Promise<void>;
};

export const SCRIPTS = {
  ko: {
    language: "ko",
    orders: ["아이스 아메리카노 두 잔이랑 치즈케이크 한 조각 주세요", "따뜻한 카페라떼 한 잔 주세요"],
  },
  en: { language: "en", orders: ["two iced americanos and a cheesecake please", "one hot latte please"] },
} as const satisfies { [language: string]: Script };
const YES = { ko: "네", en: "yes" } as const;

export type SaleSummary = {
  readonly id: string;
  readonly mode: "online" | "offline";
  readonly language: string;
  readonly transcript: string;
  readonly items: readonly { readonly id: string; readonly quantity: number; readonly options: object }[];
  readonly amountMinor: number;
  readonly currency: string;
  readonly state: string;
  readonly latencyMs: {
    readonly endOfSpeechToReply: number | null;
    readonly tapToApproved: number | null;
    readonly approvedToPrinted: number | null;
  };
  readonly receiptPng: string;
  readonly replyWav: string;
};

export type Summary = {
  readonly ok: boolean;
  readonly sales: readonly SaleSummary[];
  readonly ledger: { readonly transactions: number; readonly balanced: boolean };
  readonly outbox: { readonly depthAtOutage: number; readonly depthAtEnd: number; readonly drainMs: number };
  readonly artifacts: string;
};

/** The terminal has to notice that the line is dead before it may sell offline. */
const OUTAGE_NOTICE_MS = 20_000;
/** How long the outage lasts after the second sale. */
const OUTAGE_MS = 1_000;

export async function play(
  counter: Counter,
  script: Script,
  folder: string,
  timeline: Timeline,
): Promise<Summary> {
  mkdirSync(folder, { recursive: true });
  const stopTelling = counter.watcher.onSeen((seen) => timeline.tell(seen));
  const customer = new Customer(counter, script.language, (text) => timeline.line("you", `says: ${text}`));

  timeline.title("First sale, with the network");
  const first = await record(counter, customer, script, 0, folder);

  timeline.title("The network goes away");
  const beforeOutage = counter.watcher.mark;
  counter.network.cut();
  await counter.watcher.next("link", beforeOutage, OUTAGE_NOTICE_MS, ({ up }) => !up);
  const second = await record(counter, customer, script, 1, folder);
  const { outboxDepth: depthAtOutage } = await counter.health();
  timeline.line("network", `still away; ${depthAtOutage} request waits in the outbox`);
  await customer.pause(OUTAGE_MS);

  timeline.title("The network comes back");
  const mended = performance.now();
  counter.network.mend();
  await counter.whenDrained();
  const drainMs = Math.round(performance.now() - mended);
  const { outboxDepth: depthAtEnd } = await counter.health();
  const statement = await counter.statement();
  timeline.line("ledger", `has everything ${ms(drainMs)} after the network is back`);
  for (const { saleId, state, mode, amountMinor, currency } of statement.transactions) {
    timeline.line("ledger", `sale ${saleId.slice(0, 8)}: ${amountMinor} ${currency}, ${state}, ${mode}`);
  }
  timeline.line("ledger", statement.balanced ? "debits equal credits" : "DEBITS DO NOT EQUAL CREDITS");
  stopTelling();
  writeFileSync(join(folder, "ledger-statement.json"), `${JSON.stringify(statement, null, 2)}\n`);
  const sales = [first, second];
  return {
    ok: isOk(sales, statement, depthAtEnd),
    sales,
    ledger: { transactions: statement.transactions.length, balanced: statement.balanced },
    outbox: { depthAtOutage, depthAtEnd, drainMs },
    artifacts: folder,
  };
}

async function record(
  counter: Counter,
  customer: Customer,
  script: Script,
  index: 0 | 1,
  folder: string,
): Promise<SaleSummary> {
  const papersBefore = counter.papers().length;
  const terminal = counter.sound.recordSpeaker();
  const microphone = counter.sound.recordMicrophone();
  await script.begin?.();
  const sale = await customer.buy({ order: script.orders[index], yes: YES[script.language] });
  await counter.watcher.next("fell-silent", counter.watcher.mark, 5_000).catch(() => undefined);
  terminal.stop();
  microphone.stop();
  const name = `sale-${index + 1}`;
  const replyWav = join(folder, `${name}-terminal.wav`);
  writeFileSync(replyWav, encodeWav(terminal.sound));
  writeFileSync(join(folder, `${name}-customer.wav`), encodeWav(microphone.sound));
  const paper = counter.papers()[papersBefore];
  if (paper === undefined) throw new Error("the printer gave no receipt");
  const receiptPng = join(folder, `${name}-receipt.png`);
  copyFileSync(paper.png, receiptPng);
  return summary(sale, script.language, receiptPng, replyWav);
}

function summary(sale: Sale, language: string, receiptPng: string, replyWav: string): SaleSummary {
  const { latency } = sale.closed;
  const rounded = (value: number | null | undefined): number | null =>
    value == null ? null : Math.round(value);
  return {
    id: sale.saleId,
    mode: sale.mode,
    language,
    transcript: sale.heard.transcript,
    items: sale.lines.map(({ itemId, quantity, optionIds }) => ({
      id: itemId,
      quantity,
      options: optionIds,
    })),
    amountMinor: Number(sale.total.minor),
    currency: sale.total.currency,
    state: sale.closed.ending,
    latencyMs: {
      endOfSpeechToReply: rounded(latency?.turns[0]?.endOfSpeechToReplyMs),
      tapToApproved: rounded(latency?.tapToApprovedMs),
      approvedToPrinted: rounded(latency?.approvedToPrintedMs),
    },
    receiptPng,
    replyWav,
  };
}

/** Both sales ended as they should, and the ledger has each of them exactly once, approved, for the right amount. */
function isOk(sales: readonly SaleSummary[], statement: LedgerStatement, depthAtEnd: number): boolean {
  const once = sales.every((sale) => {
    const found = statement.transactions.filter(({ saleId }) => saleId === sale.id);
    return (
      found.length === 1 &&
      found[0]?.state === "approved" &&
      Number(found[0].amountMinor) === sale.amountMinor
    );
  });
  const endings = sales.map(({ state, mode }) => `${state} ${mode}`).join(", ");
  return (
    once && statement.balanced && depthAtEnd === 0 && endings === "approved online, approved-offline offline"
  );
}
