/** Answers as a line to read, and what a script is told of them. Each refusal names a way out. */
import type { StaffAnswer, StaffRefusal } from "../core/staff.ts";
import type { DeskAnswer, DeskSale } from "../shell/staff-desk.ts";
import { amountText } from "./amounts.ts";
import type { Received, Sent } from "./client.ts";
import { EXIT, type ExitStatus } from "./exit-status.ts";
import { openText, salesText, statusText } from "./lists.ts";

export type Sentence = { readonly text: string; readonly status: ExitStatus };

export function sentenceOf(received: Received): Sentence {
  switch (received.kind) {
    case "sales":
      return { text: salesText(received), status: EXIT.done };
    case "open":
      return { text: openText(received), status: EXIT.done };
    case "status":
      return { text: statusText(received), status: EXIT.done };
    case "staff":
      return staffSentence(received.answer, received.sale);
    case "sale-unclear":
      return { text: unclearText(received), status: EXIT.unclear };
    case "amount-unclear":
      return {
        text: `that is no amount in ${received.currency}; write it like ${amountText({ minor: "4500", currency: received.currency }).slice(4)}`,
        status: EXIT.usage,
      };
    case "silent":
      return {
        text: "the terminal gave no answer in time; look at `saypay open` before asking again",
        status: EXIT.unavailable,
      };
    case "busy":
      return { text: "too many requests are under way; try again in a moment", status: EXIT.unavailable };
    case "invalid":
      return {
        text: `the terminal did not understand the request (${received.detail}); is it of the same version as this command?`,
        status: EXIT.usage,
      };
  }
}

function staffSentence(answer: Sent<StaffAnswer>, sale: Sent<DeskSale> | null): Sentence {
  const which = sale === null ? "" : ` of sale ${sale.number}`;
  switch (answer.kind) {
    case "refused":
      return { text: `refused: ${refusalText(answer.reason, sale)}`, status: EXIT.refused };
    case "queued": {
      const why = answer.linkUp ? "waits for the ledger's answer" : "goes out when the ledger can be reached";
      const text = `queued: ${answer.key} ${why}; it goes on by itself, do not ask again (see: saypay open)`;
      return { text, status: EXIT.queued };
    }
    case "refunded":
      return { text: `done: ${amountText(answer.amount)}${which} went back to the card`, status: EXIT.done };
    case "not-refunded":
      return { text: `refused by the ledger: ${ledgerText(answer.reason)}`, status: EXIT.refused };
    case "printing":
      return { text: `printing a COPY${which}`, status: EXIT.done };
    case "day-closed": {
      const { day, netMinor, currency, totals, queued, refundsQueued } = answer.report;
      const sum = (minor: string): string => amountText({ minor, currency });
      const sales = totals.card.count + totals.cardOffline.count;
      const waits = `${queued.count} sales (${sum(queued.minor)}) and ${refundsQueued.count} refunds (${sum(refundsQueued.minor)})`;
      const text = `day ${day} closed: ${sales} sales, net ${sum(netMinor)}; not settled yet: ${waits}; the report is printing`;
      return { text, status: EXIT.done };
    }
    case "dismissed":
      return {
        text: "dismissed: the terminal no longer waits for the ledger's word on it",
        status: EXIT.done,
      };
  }
}

function refusalText(reason: StaffRefusal, sale: Sent<DeskSale> | null): string {
  const name = sale?.today === true ? String(sale.number) : (sale?.saleId ?? "SALE");
  switch (reason) {
    case "exceeds":
      return sale === null
        ? "that is more than was paid"
        : `that is more than is left of it (${leftText(sale)})`;
    case "nothing-left":
      return "nothing is left of it to give back (see: saypay sales, saypay open)";
    case "amount-needed":
      return "say how much: --amount N, more than nothing";
    case "wrong-currency":
      return "the sale was in another currency";
    case "already-voided":
      return "the sale was voided already";
    case "not-charged":
      return "the ledger declined it after the goods were gone: no money was taken, so there is none to give back";
    case "partly-refunded":
      return `part of it was given back already; refund the rest instead: saypay refund ${name}`;
    case "another-day":
      return `its day is closed; refund it instead: saypay refund ${name}`;
    case "refund-under-way":
      return "a refund or void of it still waits for the ledger (see: saypay open)";
    case "unknown-charge":
      return "nothing waits under that key (see: saypay open)";
    case "sale-at-the-counter":
      return "a customer is paying; try again in a moment";
    case "too-many-waiting":
      return "too many papers or refunds wait already; look at the printer and at: saypay open";
    case "journal-barred":
      return "the ledger does not accept this terminal's journal; saypay status says why";
  }
}

function leftText({ amount, refundedMinor, waitingMinor }: Sent<DeskSale>): string {
  const left = BigInt(amount.minor) - BigInt(refundedMinor) - BigInt(waitingMinor);
  return amountText({ minor: left.toString(), currency: amount.currency });
}

/** Reasons come from the ledger, which may be of a later version. */
function ledgerText(reason: string): string {
  switch (reason) {
    case "exceeds":
      return "all refunds of the sale together would be more than it";
    case "not-charged":
      return "no money was taken for that sale";
    case "partly-refunded":
      return "part of the sale was given back already; refund the rest instead";
    case "gateway":
      return "the card's bank does not give it back; pay the customer another way";
    default:
      return reason;
  }
}

function unclearText(answer: Extract<Sent<DeskAnswer>, { kind: "sale-unclear" }>): string {
  const ids = answer.candidates.map(
    (sale) => `${sale.saleId} (number ${sale.number}, ${amountText(sale.amount)})`,
  );
  switch (answer.why) {
    case "unknown":
      return "no sale goes by that number or id; saypay sales lists them";
    case "elsewhere":
      return "this terminal knows no such sale: another sold it, or it was long ago, or its record was lost; a refund works with --amount, the rest on the terminal that sold it";
    case "earlier-day":
      return `that number is of an earlier day; name the sale by its id: ${ids.join(", ")}`;
    case "ambiguous":
      return `several sales begin like that; write more of the id: ${ids.join(", ")}`;
  }
}
