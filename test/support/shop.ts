/** A small shop for tests of the core: settings, a menu, and a terminal that is fed events one by one. */
import type { CardProof, LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { Effect } from "../../daemon/core/effect.ts";
import type { SaleEvent } from "../../daemon/core/event.ts";
import type { Intent, Options } from "../../daemon/core/intent.ts";
import type { Menu } from "../../daemon/core/menu.ts";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import { step } from "../../daemon/core/step.ts";
import type { Happening } from "../../daemon/shell/interpreter.ts";

export const MENU: Menu = {
  currency: "KRW",
  vatPercent: 10,
  optionGroups: [
    {
      id: "temperature",
      default: "hot",
      values: [
        { id: "hot", names: { ko: ["따뜻한"], en: ["hot"] }, priceDelta: 0n },
        { id: "iced", names: { ko: ["아이스"], en: ["iced"] }, priceDelta: 500n },
      ],
    },
    {
      id: "size",
      default: "regular",
      values: [
        { id: "regular", names: { ko: ["레귤러"], en: ["regular"] }, priceDelta: 0n },
        { id: "large", names: { ko: ["라지"], en: ["large"] }, priceDelta: 1000n },
      ],
    },
  ],
  items: [
    {
      id: "americano",
      names: { ko: ["아메리카노"], en: ["americano"] },
      price: 4000n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    {
      id: "latte",
      names: { ko: ["카페라떼", "라떼"] },
      price: 4500n,
      counter: "잔",
      options: ["temperature", "size"],
    },
    { id: "cookie", names: { ko: ["쿠키"], en: ["cookie"] }, price: 2500n, counter: "개", options: [] },
    { id: "water", names: { ko: ["생수"], en: ["water"] }, price: 1000n, counter: "병", options: [] },
  ],
};

export const SETTINGS: SaleSettings = {
  terminal: "t-1",
  merchant: {
    name: "세이카페",
    registration: "123-45-67890",
    address: "서울시 중구 세종대로 1",
    phone: "02-123-4567",
    representative: "김사장",
  },
  menu: MENU,
  quantities: { questionAbove: 10, refuseAbove: 99, lines: 3 },
  offline: {
    enabled: true,
    perSaleMinor: 50_000n,
    totalMinor: 60_000n,
    count: 3,
    maxAgeMs: 1_000_000,
    perCard: 2,
    perCardPerHour: 2,
  },
  dialogue: { minimumConfidence: 0.4, noInputMs: 8_000, misses: 3 },
  payment: { cardMs: 60_000, answerMs: 8_000, queryMs: 4_000, queries: 2, attempts: 2 },
  receipt: { printMs: 30_000, retryMs: 3_000, attempts: 3 },
};

export const CARD: CardProof = { token: "ntag424:aa", masked: "****-AAAA", counter: 7 };

/** A terminal in a test: give it what happens, look at what it wants done. */
export class TestTerminal {
  state: TerminalState = EMPTY_TERMINAL;
  settings: SaleSettings;
  atMs = 1_000_000;
  /** Effects of the last event. */
  effects: readonly Effect[] = [];
  readonly all: Effect[] = [];
  readonly events: SaleEvent[] = [];

  constructor(settings: Partial<SaleSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
  }

  happen(happening: Happening): this {
    const event = { ...happening, atMs: this.atMs } as SaleEvent;
    this.atMs += 100;
    if (event.kind === "settings.applied") this.settings = event.settings;
    const result = step(this.settings, this.state, event);
    this.state = result.state;
    this.effects = result.effects;
    this.all.push(...result.effects);
    this.events.push(event);
    return this;
  }

  /** The ledger can be reached and knows this journal. */
  linked(): this {
    return this.happen({ kind: "journal.welcomed" }).happen({ kind: "link.changed", up: true });
  }

  /** A journal that the ledger knows, while the ledger is away. */
  unlinked(): this {
    if (this.state.standing.kind === "new") this.happen({ kind: "journal.welcomed" });
    return this.happen({ kind: "link.changed", up: false });
  }

  wake(saleId = "sale-1"): this {
    return this.happen({ kind: "sale.woken", saleId, language: "ko", source: "button" }).finishSpeech();
  }

  intend(intent: Intent, confidence = 0.9): this {
    return this.happen({ kind: "turn.heard", turn: { language: "ko", intent, confidence }, source: "voice" });
  }

  order(itemId: string, quantity = 1, options: Options = {}): this {
    return this.intend({ kind: "edit", edits: [{ kind: "add", itemId, quantity, options }] });
  }

  /** The sentence that is being said ends. */
  finishSpeech(outcome: "played" | "interrupted" | "failed" = "played"): this {
    const saying = this.state.sale?.saying;
    if (saying == null) throw new Error("nothing is being said");
    return this.happen({ kind: "speech.ended", effectId: saying, outcome });
  }

  /** Orders, hears the read-back, says yes. */
  confirmOrder(itemId = "americano", quantity = 2): this {
    return this.order(itemId, quantity).finishSpeech().intend({ kind: "confirm" });
  }

  tap(
    card: Partial<CardProof> = {},
    lastCounter: number | null = null,
    facts: { readonly verified?: boolean; readonly denied?: boolean } = {},
  ): this {
    const { verified = true, denied = false } = facts;
    return this.happen({ kind: "card.presented", card: { ...CARD, ...card }, lastCounter, verified, denied });
  }

  answer(outcome: LedgerOutcome, key = `${this.saleId}/1`, request = "authorise"): this {
    return this.happen({ kind: "ledger.answered", answer: { requestId: `${key}:${request}`, key, outcome } });
  }

  /** The ledger approves what was asked. */
  approve(key?: string): this {
    const { phase } = this.state.sale ?? {};
    if (phase === undefined || !("charge" in phase)) throw new Error("there is no charge to approve");
    const { amount } = phase.charge;
    return this.answer(
      { kind: "approved", authorisation: "A1", gateway: "sandbox", amount },
      key ?? phase.charge.key,
    );
  }

  /** The sale's timer runs out. */
  timeOut(): this {
    const timer = this.state.sale?.timer;
    if (timer == null) throw new Error("no timer is running");
    return this.happen({ kind: "timer.fired", timerId: timer });
  }

  printed(): this {
    return this.happen({ kind: "receipt.printed", effectId: this.printing });
  }

  printFailed(reason: "paper-out" | "cover-open" | "offline", paperMoved: boolean): this {
    return this.happen({ kind: "receipt.failed", effectId: this.printing, reason, paperMoved });
  }

  get printing(): string {
    const { phase } = this.state.sale ?? {};
    if (phase?.kind !== "receipt" || phase.printing === null) throw new Error("nothing is being printed");
    return phase.printing;
  }

  get saleId(): string {
    return this.state.sale?.id ?? this.state.recent.at(-1)?.saleId ?? "";
  }

  get phase(): string {
    return this.state.sale?.phase.kind ?? "idle";
  }

  /** "kind" of every effect of the last event, prompts as "say PROMPT", requests as "send REQUEST". */
  get wants(): string[] {
    return this.effects.map(describe);
  }

  get said(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "speech.say" ? [effect.prompt.kind] : []));
  }

  get sent(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "ledger.send" ? [effect.id] : []));
  }

  get alarms(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "alarm.raise" ? [effect.alarm.kind] : []));
  }

  get ending(): string | undefined {
    return this.state.recent.at(-1)?.ending;
  }

  /** "2 americano iced", without default options. */
  get basket(): string[] {
    return (this.state.sale?.basket ?? []).map(({ itemId, quantity, options }) =>
      [
        quantity,
        itemId,
        ...Object.values(options).filter((value) => value !== "hot" && value !== "regular"),
      ].join(" "),
    );
  }
}

function describe(effect: Effect): string {
  switch (effect.kind) {
    case "speech.say":
      return `say ${effect.prompt.kind}`;
    case "ledger.send":
      return `send ${effect.request.kind}`;
    case "timer.start":
      return `timer ${effect.purpose}`;
    case "ear.open":
      return `ear.open ${effect.expectation}`;
    default:
      return effect.kind;
  }
}
