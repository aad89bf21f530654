/**
 * A sale that is carried to its end whatever happens to the processes: looks at the phase the terminal shows and does
 * what a customer would do then. Orders by touch, so that the time goes into what is tested; taps a real virtual card.
 */
import type { View } from "../../daemon/core/view.ts";
import type { Counter } from "./counter.ts";

export type Moment = "listening" | "read-back" | "awaiting-card" | "authorising" | "receipt";

const POLL_MS = 25;
const SALE_LIMIT_MS = 60_000;
/** A customer whose card shows no effect taps again. */
const TAP_AGAIN_MS = 2_500;
/** A touch that was lost with the process is repeated. */
const TOUCH_AGAIN_MS = 1_500;

const ORDER = {
  kind: "edit",
  edits: [{ kind: "add", itemId: "americano", quantity: 2, options: { temperature: "iced" } }],
} as const;

/**
 * Makes one sale and calls `at` once, when the phase is first seen. Resolves with the sale's id when the terminal is
 * idle again and this sale is over. "authorising" means: a tap was just made.
 */
export async function drivenSale(
  counter: Counter,
  moment: Moment | null,
  at: () => Promise<void>,
): Promise<string> {
  const { saleId } = await counter.wake();
  const deadline = performance.now() + SALE_LIMIT_MS;
  let struck = moment === null;
  let touchedAt = 0;
  let tappedAt = 0;
  const strike = async (now: Moment): Promise<void> => {
    if (struck || now !== moment) return;
    struck = true;
    await at();
  };
  const touch = async (intent: object): Promise<void> => {
    if (performance.now() - touchedAt < TOUCH_AGAIN_MS) return;
    touchedAt = performance.now();
    await counter.watcher.post("/turn", { intent }).catch(() => undefined);
  };
  for (;;) {
    if (performance.now() > deadline)
      throw new Error(`sale ${saleId} did not end; ${JSON.stringify(await view(counter))}`);
    const shown = await view(counter);
    if (shown?.saleId !== undefined && shown.saleId !== saleId) {
      if (!struck) throw new Error(`the sale ended before ${moment ?? "it"} was seen`);
      return saleId;
    }
    switch (shown?.phase) {
      case "listening":
        await strike("listening");
        await touch(ORDER);
        break;
      case "basket":
      case "read-back":
        await strike("read-back");
        await touch({ kind: "confirm" });
        break;
      case "awaiting-card":
        await strike("awaiting-card");
        if (performance.now() - tappedAt > TAP_AGAIN_MS) {
          tappedAt = performance.now();
          await counter.tap().catch(() => undefined);
          // The card is being read: the next moments are the ones between tap and approval.
          if (moment === "authorising") await strike("authorising");
        }
        break;
      case "receipt":
        await strike("receipt");
        break;
      default:
        break;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Null while the daemon is away. */
async function view(counter: Counter): Promise<View | null> {
  return counter.watcher.get<View>("/state").catch(() => null);
}

export type Verdict = {
  readonly books: number;
  readonly charges: number;
  readonly originals: number;
  readonly copies: number;
};

/** How often the sale is in the ledger's books, was charged by the bank, and came out on paper. */
export async function verdictOf(counter: Counter, saleId: string): Promise<Verdict> {
  const { transactions, balanced } = await counter.statement();
  if (!balanced) throw new Error("the ledger's books are not balanced");
  const books = transactions.filter((entry) => entry.saleId === saleId && entry.state === "approved").length;
  const { charges } = (await counter.bankCharges()) as { charges: { orderId: string; status: string }[] };
  const papers = counter.papers().filter((paper) => paper.lines.some((line) => line.includes(saleId)));
  const copies = papers.filter((paper) => paper.lines.some((line) => line.includes("COPY"))).length;
  return {
    books,
    charges: charges.filter((charge) => charge.orderId === saleId && charge.status === "charged").length,
    originals: papers.length - copies,
    copies,
  };
}
