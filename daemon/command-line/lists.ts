/** Lists as lines of text: sales, what waits, the terminal's state. */
import type { Standing } from "../core/sale.ts";
import type { DeskAnswer, DeskSale } from "../shell/staff-desk.ts";
import { ageText, amountText } from "./amounts.ts";
import type { Sent } from "./client.ts";

type Listed<Kind extends DeskAnswer["kind"]> = Extract<Sent<DeskAnswer>, { kind: Kind }>;

export function salesText({ day, sales }: Listed<"sales">): string {
  if (sales.length === 0) return "no sales yet";
  const rows = sales.map((sale) => [
    String(sale.number),
    timeText(sale),
    amountText(sale.amount),
    sale.card,
    stateText(sale, day),
    sale.saleId,
  ]);
  return columns([["No.", "Time", "Amount", "Card", "State", "Id"], ...rows], [0, 2]);
}

function timeText({ timeMs, today }: Sent<DeskSale>): string {
  const time = new Date(timeMs);
  const clock = time.toTimeString().slice(0, 5);
  return today ? clock : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}

function stateText(sale: Sent<DeskSale>, today: number): string {
  const notes = [
    ...(sale.offline ? ["offline"] : []),
    ...(sale.voided ? ["voided"] : []),
    ...(!sale.voided && sale.refundedMinor !== "0"
      ? [`refunded ${amountText({ minor: sale.refundedMinor, currency: sale.amount.currency })}`]
      : []),
    ...(sale.waitingMinor === "0"
      ? []
      : [`${amountText({ minor: sale.waitingMinor, currency: sale.amount.currency })} on its way back`]),
    ...(sale.day === today ? [] : [`day ${sale.day}`]),
  ];
  return notes.join(", ") || "paid";
}

export function openText({ charges, refunds, deadLetters }: Listed<"open">): string {
  if (charges.length + refunds.length + deadLetters.length === 0) return "nothing waits for the ledger";
  const money = [...charges, ...refunds].map(({ purpose, amount, ageMs, key }) => [
    PURPOSES[purpose],
    amountText(amount),
    ageText(ageMs),
    key,
  ]);
  const dead = deadLetters.map(({ request, reason, ageMs, key }) => [
    `dead letter: ${request}, ${reason}`,
    "",
    ageText(ageMs),
    key,
  ]);
  return columns([["Waits for the ledger", "Amount", "For", "Key"], ...money, ...dead], [1, 2]);
}

const PURPOSES: { readonly [purpose in "offline" | "reversal" | "refund" | "void"]: string } = {
  offline: "sold offline",
  reversal: "taking back",
  refund: "refund",
  void: "void",
};

export function statusText(status: Listed<"status">): string {
  const { day, currency, openCharges, openRefunds, deadLetters, papers, outboxDepth } = status;
  const { card, cardOffline } = day.totals;
  const sold = (BigInt(card.minor) + BigInt(cardOffline.minor)).toString();
  const trouble = status.devices.filter(({ state }) => state !== "running");
  return [
    `${status.terminal}: ${standingText(status.standing)}`,
    `counter: ${status.phase === "idle" ? "nobody is ordering" : status.phase}`,
    `ledger: ${status.linkUp ? "connected" : "not connected"}; ${outboxDepth} requests wait to be answered`,
    `day ${day.number}: ${card.count + cardOffline.count} sales, ${amountText({ minor: sold, currency })}`,
    `waits: ${openCharges} charges, ${openRefunds} refunds, ${papers} papers, ${deadLetters} dead letters`,
    `journal: ${status.journalId}`,
    ...trouble.map(({ name, state, fault }) => `${name}: ${state}${fault === undefined ? "" : `, ${fault}`}`),
  ].join("\n");
}

function standingText(standing: Sent<Standing>): string {
  switch (standing.kind) {
    case "new":
      return "may sell; the ledger has not been asked yet, so nothing is sold without it";
    case "welcome":
      return "may sell";
    case "recalling":
      return "sells nothing until the ledger has told what it remembers";
    case "barred":
      return `sells nothing: ${BARRED[standing.reason]}`;
  }
}

const BARRED = {
  copied:
    "this journal was opened elsewhere, too: another machine sells with a copy of it, or an older backup was put back. Switch every other one off for good; then, with the terminal stopped, run: saypay journal adopt",
  restored:
    "an old backup of the journal was put back. Put the newest one back, or stop the terminal and run: saypay journal adopt",
  replaced:
    "the ledger knows another journal of this terminal. Put that one back, or stop the terminal and run: saypay journal adopt --predecessor ID, with the id that the ledger names",
} as const;

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `right`: the columns that are set to the right, amounts above all. */
function columns(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
