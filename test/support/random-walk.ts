/** What can happen to a terminal, for random walks: said so that it fits whatever state the walk is in. */
import fc from "fast-check";
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { BasketEdit, Intent } from "../../daemon/core/intent.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import type { Happening } from "../../daemon/shell/interpreter.ts";
import { MENU, SETTINGS } from "./shop.ts";

const CHEAPER: SaleSettings = {
  ...SETTINGS,
  menu: {
    ...MENU,
    items: MENU.items
      .filter(({ id }) => id !== "cookie")
      .map((item) => ({ ...item, price: item.price - 100n })),
  },
};

const itemId = fc.constantFrom("americano", "latte", "cookie", "water", "gold");
const quantity = fc.constantFrom(1, 2, 9, 11, 18, 100, 0, -1, 0.5, Number.NaN);
const options = fc.constantFrom<{ [group: string]: string }[]>(
  {},
  { temperature: "iced" },
  { temperature: "hot" },
  { size: "large" },
  { size: "giant" },
);
const basketEdit: fc.Arbitrary<BasketEdit> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), itemId, quantity, options }),
  fc.record({ kind: fc.constant("remove" as const), itemId, quantity, options }, { requiredKeys: ["kind"] }),
  fc.record(
    { kind: fc.constant("set-quantity" as const), itemId, quantity },
    { requiredKeys: ["kind", "quantity"] },
  ),
  fc.record(
    { kind: fc.constant("set-options" as const), itemId, quantity, options },
    { requiredKeys: ["kind", "options"] },
  ),
  fc.record(
    { kind: fc.constant("replace" as const), itemId, withItemId: itemId, quantity, options },
    { requiredKeys: ["kind", "withItemId", "options"] },
  ),
);
const intent: fc.Arbitrary<Intent> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Intent[]>({ kind: "confirm" }, { kind: "pay" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      edits: fc.array(basketEdit, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Intent[]>(
      { kind: "deny" },
      { kind: "cancel" },
      { kind: "repeat" },
      { kind: "help" },
      { kind: "staff" },
      { kind: "ask-price" },
      { kind: "ask-price", itemId: "latte" },
    ),
  },
);

/** What happens next, said so that it fits whatever state the walk is in: "the speech ends", "an old timer fires". */
export type Move =
  | { readonly kind: "event"; readonly event: Happening }
  | { readonly kind: "wake" }
  | { readonly kind: "order" }
  /** An order all the way to the card, so that walks spend their time where the money is. */
  | { readonly kind: "agree" }
  | {
      readonly kind: "speech-ends";
      readonly outcome: "played" | "interrupted" | "failed";
      readonly late: boolean;
    }
  | { readonly kind: "timer-fires"; readonly which: number }
  | { readonly kind: "tap"; readonly copy: boolean; readonly token: string }
  | {
      readonly kind: "printer-says";
      readonly which: number;
      readonly printed: boolean;
      readonly moved: boolean;
    }
  | {
      readonly kind: "ledger-says";
      readonly which: number;
      readonly outcome: LedgerOutcome["kind"];
      readonly off: boolean;
    }
  | {
      readonly kind: "staff-asks";
      readonly request: "void" | "refund" | "reprint" | "close-day" | "dismiss";
      readonly which: number;
      readonly minor: bigint | null;
    }
  | { readonly kind: "clock-jumps"; readonly toMs: number };

const event = (happening: Happening): Move => ({ kind: "event", event: happening });
const index = fc.nat({ max: 1_000 });
export const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Move>({ kind: "wake" }) },
  { weight: 3, arbitrary: fc.constant<Move>({ kind: "order" }) },
  { weight: 8, arbitrary: fc.constant<Move>({ kind: "agree" }) },
  {
    weight: 8,
    arbitrary: fc
      .record({ intent, confidence: fc.constantFrom(0.1, 0.9), source: fc.constantFrom("voice", "touch") })
      .map(({ intent: meant, confidence, source }) =>
        event({ kind: "turn.heard", turn: { language: "ko", intent: meant, confidence }, source }),
      ),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("speech-ends" as const),
      outcome: fc.constantFrom("played", "played", "interrupted", "failed"),
      late: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("timer-fires" as const), which: index }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("tap" as const),
      copy: fc.boolean(),
      token: fc.constantFrom("card-a", "card-b", "card-c"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("printer-says" as const),
      which: index,
      printed: fc.boolean(),
      moved: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("ledger-says" as const),
      which: index,
      outcome: fc.constantFrom(
        "approved",
        "approved",
        "declined",
        "pending",
        "reversed",
        "not-found",
        "refused",
        "refunded",
        "refunded",
        "refund-refused",
      ),
      off: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      event({ kind: "turn.missed" }),
      event({ kind: "link.changed", up: true }),
      event({ kind: "link.changed", up: true }),
      event({ kind: "link.changed", up: false }),
      event({ kind: "card.rejected", reason: "torn-away" }),
      event({ kind: "journal.welcomed" }),
      event({ kind: "journal.welcomed" }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("staff-asks" as const),
      request: fc.constantFrom("void", "refund", "refund", "reprint", "close-day", "dismiss"),
      which: index,
      minor: fc.constantFrom(null, 1_000n, 4_000n, 9_000n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      event({ kind: "daemon.started" }),
      event({ kind: "journal.barred", reason: "copied" }),
      event({ kind: "settings.applied", settings: CHEAPER }),
      event({ kind: "settings.applied", settings: SETTINGS }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(0, 1_000_000, 4_102_444_800_000)
      .map((toMs): Move => ({ kind: "clock-jumps", toMs })),
  },
);
