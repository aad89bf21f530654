/**
 * Random walks: anything may happen at any moment, in any order, late, twice or never. Whatever the walk, the promises
 * that protect money and keep the dialogue alive must hold after every single event. A failure prints seed and path.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerOutcome, LedgerRequest } from "../../../daemon/core/clearing.ts";
import { sameData } from "../../../daemon/core/data.ts";
import type { Intent } from "../../../daemon/core/intent.ts";
import type { Money } from "../../../daemon/core/money.ts";
import { MAXIMUM_REVERSALS } from "../../../daemon/core/payment.ts";
import { EMPTY_TERMINAL, isOrdering, RECENT_SALES, type TerminalState } from "../../../daemon/core/sale.ts";
import type { SaleSettings } from "../../../daemon/core/settings.ts";
import type { FoundSale, StaffRequest } from "../../../daemon/core/staff.ts";
import { step } from "../../../daemon/core/step.ts";
import type { Happening } from "../../../daemon/shell/interpreter.ts";
import { type Move, move } from "../../support/random-walk.ts";
import { SETTINGS, TestTerminal } from "../../support/shop.ts";

const WALKS = 300;
const EVENTS = 150;
/** Walks are the same on every machine; change it to look elsewhere. */
const SEED = 20_261_120;

type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;

/** A walk, and everything that has to be remembered to judge it. */
class Walk {
  readonly terminal = new TestTerminal();
  /** Ids asked for and answered so far, old ones too. */
  readonly #timers: string[] = [];
  readonly #sayings: string[] = [];
  readonly #prints: string[] = [];
  readonly #requests: { id: string; request: LedgerRequest }[] = [];
  readonly #authorised = new Map<string, Authorise>();
  /** Keys that the ledger approved, for the amount that was asked. */
  readonly #approved = new Set<string>();
  readonly #paid = new Set<string>();
  readonly #reversed = new Set<string>();
  /** Keys that the ledger refuses to speak about: with staff, by an alarm. */
  readonly #handedOver = new Set<string>();
  readonly #counters = new Map<string, number>();
  /** Sales as the journal's file would find them. */
  readonly #sold = new Map<string, FoundSale>();
  /** Refunds that were asked for and not refused. */
  readonly #givenBack = new Map<string, { saleId: string; minor: bigint }>();
  #asks = 0;
  #earOpen = false;
  /** The newest read-back, and the amount that it told to its end. */
  #reading: { id: string; total: Money } | null = null;
  #told: Money | null = null;
  #sales = 0;
  #taps = 0;

  take(next: Move): void {
    const { terminal } = this;
    const { sale } = terminal.state;
    switch (next.kind) {
      case "event":
        if (next.event.kind === "turn.heard" && next.event.source === "voice") {
          // A voice needs an ear that is open, and one turn closes it.
          if (!this.#earOpen) return;
          this.#earOpen = false;
        }
        if (next.event.kind === "turn.missed") {
          if (!this.#earOpen) return;
          this.#earOpen = false;
        }
        if (next.event.kind === "daemon.started") this.#earOpen = false;
        return this.#happen(next.event);
      case "wake":
        return this.#happen({
          kind: "sale.woken",
          saleId: `sale-${++this.#sales}`,
          language: "ko",
          source: "button",
        });
      case "order":
        if (sale === null) this.take({ kind: "wake" });
        return this.#touch({
          kind: "edit",
          edits: [{ kind: "add", itemId: "latte", quantity: 1, options: {} }],
        });
      case "agree":
        if (sale !== null && !isOrdering(sale.phase)) return;
        this.take({ kind: "order" });
        this.take({ kind: "speech-ends", outcome: "played", late: false });
        return this.#touch({ kind: "confirm" });
      case "speech-ends": {
        const effectId = next.late ? this.#sayings.at(-2) : sale?.saying;
        if (effectId == null) return;
        return this.#happen({ kind: "speech.ended", effectId, outcome: next.outcome });
      }
      case "timer-fires": {
        const timerId = next.which % 3 === 0 ? (sale?.timer ?? undefined) : pick(this.#timers, next.which);
        return timerId === undefined ? undefined : this.#happen({ kind: "timer.fired", timerId });
      }
      case "tap": {
        const lastCounter = this.#counters.get(next.token) ?? null;
        const counter = next.copy ? (lastCounter ?? 1) : ++this.#taps + 1;
        this.#counters.set(next.token, Math.max(counter, lastCounter ?? 0));
        const card = { token: next.token, masked: "****-1", counter };
        return this.#happen({ kind: "card.presented", card, lastCounter, verified: true, denied: false });
      }
      case "printer-says": {
        const effectId = pick(this.#prints, next.which);
        if (effectId === undefined) return;
        return this.#happen(
          next.printed
            ? { kind: "receipt.printed", effectId }
            : { kind: "receipt.failed", effectId, reason: "paper-out", paperMoved: next.moved },
        );
      }
      case "ledger-says":
        return this.#ledgerSays(next.which, next.outcome, next.off);
      case "staff-asks": {
        const request = this.#staffRequest(next);
        if (request === null) return;
        return this.#happen({ kind: "staff.asked", requestId: `ask-${++this.#asks}`, request });
      }
      case "clock-jumps":
        terminal.atMs = next.toMs;
    }
  }

  #touch(meant: Intent): void {
    this.#happen({
      kind: "turn.heard",
      source: "touch",
      turn: { language: "ko", confidence: 1, intent: meant },
    });
  }

  #ledgerSays(which: number, kind: LedgerOutcome["kind"], off: boolean): void {
    const asked = pick(this.#requests, which);
    if (asked === undefined) return;
    const { key } = asked.request;
    const given = asked.request.kind === "refund" ? asked.request.amount : null;
    const amount = given ?? this.#authorised.get(key)?.amount ?? { minor: 1n, currency: "KRW" };
    const charged = off ? { ...amount, minor: amount.minor + 1n } : amount;
    // The ledger keeps its word: what it said last of a key it says again.
    const outcome = outcomeOf(this.#approved.has(key) ? "approved" : kind, charged);
    if (outcome.kind === "approved" && !off) this.#approved.add(key);
    if (outcome.kind === "refused" || outcome.kind === "refund-refused") this.#givenBack.delete(key);
    this.#happen({ kind: "ledger.answered", answer: { requestId: asked.id, key, outcome } });
  }

  #happen(happening: Happening): void {
    const before = this.terminal.state;
    this.terminal.happen(happening);
    this.#watch(before, happening);
    this.#judgeState();
  }

  #watch(before: TerminalState, happening: Happening): void {
    // A sentence ends once; what is said of its end a second time changes nothing.
    if (happening.kind === "speech.ended" && happening.effectId === this.#reading?.id) {
      this.#told = happening.outcome === "interrupted" ? null : this.#reading.total;
      this.#reading = null;
    }
    const ids = new Set(this.terminal.effects.map(({ id }) => id));
    must(ids.size === this.terminal.effects.length, "effect ids differ");
    for (const effect of this.terminal.effects) {
      switch (effect.kind) {
        case "timer.start":
          this.#timers.push(effect.id);
          break;
        case "ear.open":
          this.#earOpen = true;
          break;
        case "ear.close":
          this.#earOpen = false;
          break;
        case "speech.say":
          this.#sayings.push(effect.id);
          if (effect.prompt.kind === "read-back") {
            this.#reading = { id: effect.id, total: effect.prompt.total };
            this.#told = null;
          }
          if (effect.prompt.kind === "approved") this.#mustBePaid(before, happening, "online");
          if (effect.prompt.kind === "approved-offline") this.#mustBePaid(before, happening, "offline");
          break;
        case "card.arm": {
          const phase = this.terminal.state.sale?.phase;
          if (phase?.kind !== "awaiting-card") throw new Error("a card was asked for in another phase");
          break;
        }
        case "printer.print":
          this.#prints.push(effect.id);
          break;
        case "ledger.send":
          this.#sent(before, effect.id, effect.request);
          break;
        case "alarm.raise": {
          const { alarm } = effect;
          if (alarm.kind !== "request-refused") break;
          if (before.openCharges.some(({ key }) => key === alarm.key)) this.#handedOver.add(alarm.key);
          break;
        }
        case "sale.record":
          must(this.#paid.has(effect.sale.key) || this.#paying(effect.sale.key), "recorded is what was paid");
          this.#sold.set(effect.sale.saleId, {
            ...effect.sale,
            refundedMinor: 0n,
            voided: false,
            unpaid: false,
          });
          break;
        case "refund.record":
          this.#recordRefund(effect.saleId, effect.amount.minor, effect.purpose);
          break;
        case "staff.answer":
          if (effect.answer.kind === "dismissed" && happening.kind === "staff.asked")
            if (happening.request.kind === "dismiss") this.#handedOver.add(happening.request.key);
          break;
        case "card.disarm":
        case "timer.cancel":
          break;
      }
    }
    this.#judgePaper();
    const { sale } = this.terminal.state;
    if (
      happening.kind === "turn.heard" &&
      happening.source === "voice" &&
      sale?.phase.kind === "awaiting-card"
    ) {
      const was = before.sale?.phase;
      const same = was?.kind === "awaiting-card" || sameData(this.#told, sale.phase.total);
      must(same, "a spoken yes to an amount that was told");
    }
  }

  #judgePaper(): void {
    for (const effect of this.terminal.effects) {
      if (effect.kind !== "printer.print") continue;
      if (effect.paper.kind !== "receipt") continue;
      const { receipt } = effect.paper;
      const total = receipt.lines.reduce((sum, line) => sum + line.amount.minor, 0n);
      must(receipt.total.minor === total, "the lines of a receipt sum to its total");
      const paid = [...this.#paid].some((key) => key.startsWith(`${receipt.saleId}/`));
      must(paid, "a receipt is for what was paid");
    }
  }

  /** `happening` is what made the terminal say or print that a charge is paid. */
  #mustBePaid(before: TerminalState, happening: Happening, mode: "online" | "offline"): void {
    const { phase } = this.terminal.state.sale ?? {};
    if (phase?.kind !== "receipt") throw new Error("approved, and no receipt");
    const { key, amount } = phase.charge;
    must(!this.#paid.has(key), `${key} is paid once`);
    must(!this.#reversed.has(key), `${key} was not reversed`);
    const again = [...this.#paid].some((other) => other.startsWith(`${this.terminal.saleId}/`));
    must(!again, "a sale is paid once");
    this.#paid.add(key);
    if (mode === "online") {
      if (happening.kind !== "ledger.answered") throw new Error("approved by nobody");
      const { answer } = happening;
      const approved = answer.outcome.kind === "approved" && sameData(answer.outcome.amount, amount);
      must(approved && answer.key === key, "approved by the ledger, for this amount and key");
      return;
    }
    must(!before.linkUp, "approved offline only when the ledger cannot be asked");
    const waiting = this.terminal.state.openCharges.filter(({ purpose }) => purpose === "offline");
    const { count, totalMinor, perSaleMinor } = this.terminal.settings.offline;
    const total = waiting.reduce((sum, open) => sum + open.amount.minor, 0n);
    must(waiting.length <= count && total <= totalMinor && amount.minor <= perSaleMinor, "within the limits");
    must(
      waiting.some((open) => open.key === key),
      "what was approved offline is watched",
    );
  }

  #paying(key: string): boolean {
    const { phase } = this.terminal.state.sale ?? {};
    return phase?.kind === "receipt" && phase.charge.key === key;
  }

  /** All refunds of a sale that were asked for and not refused never exceed it. */
  #gaveBack(request: Extract<LedgerRequest, { kind: "refund" }>): void {
    this.#givenBack.set(request.key, { saleId: request.saleId, minor: request.amount.minor });
    const sum = [...this.#givenBack.values()]
      .filter(({ saleId }) => saleId === request.saleId)
      .reduce((total, { minor }) => total + minor, 0n);
    must(sum <= (this.#sold.get(request.saleId)?.amount.minor ?? 0n), "refunds never exceed the sale");
    must(this.#sold.get(request.saleId)?.voided === false, "a voided sale is not refunded");
  }

  #recordRefund(saleId: string, minor: bigint, purpose: "refund" | "void" | "unpaid"): void {
    const sale = this.#sold.get(saleId);
    if (sale === undefined) throw new Error("given back of a sale that nobody made");
    if (purpose === "unpaid") return void this.#sold.set(saleId, { ...sale, unpaid: true });
    must(!sale.voided, "nothing is given back after a void");
    const refundedMinor = sale.refundedMinor + (purpose === "refund" ? minor : 0n);
    must(refundedMinor <= sale.amount.minor, "what was given back never exceeds the sale");
    this.#sold.set(saleId, { ...sale, refundedMinor, voided: purpose === "void" });
  }

  #staffRequest(next: Extract<Move, { kind: "staff-asks" }>): StaffRequest | null {
    const { openCharges, openRefunds } = this.terminal.state;
    switch (next.request) {
      case "close-day":
        return { kind: "close-day", language: "ko" };
      case "dismiss": {
        const open = pick([...openCharges, ...openRefunds], next.which);
        return open === undefined ? null : { kind: "dismiss", key: open.key };
      }
      default: {
        const sale = pick([...this.#sold.values()], next.which);
        if (sale === undefined) return null;
        if (next.request !== "refund") return { kind: next.request, sale };
        const amount = next.minor === null ? null : { minor: next.minor, currency: "KRW" };
        return { kind: "refund", saleId: sale.saleId, sale, amount };
      }
    }
  }

  #sent(before: TerminalState, id: string, request: LedgerRequest): void {
    const same = this.#requests.find((other) => other.id === id);
    if (same !== undefined) return must(sameData(request, same.request), "one request under one id");
    this.#requests.push({ id, request });
    if (request.kind === "refund") return this.#gaveBack(request);
    if (request.kind === "reverse" && request.reason !== "void") {
      must(!this.#paid.has(request.key), `${request.key} is honoured and not reversed`);
      this.#reversed.add(request.key);
    }
    if (request.kind !== "authorise") {
      return must(this.#authorised.has(request.key), "asked of what was sent");
    }
    must(!this.#authorised.has(request.key), `${request.key} is authorised once`);
    const agreed = before.sale?.phase.kind === "awaiting-card" ? before.sale.phase.total : null;
    must(sameData(agreed, request.amount), "charged is what was agreed");
    const sum = request.lines.reduce((total, line) => total + line.amount.minor, 0n);
    must(sum === request.amount.minor && sum > 0n, "the lines sum to the amount");
    this.#authorised.set(request.key, request);
  }

  #judgeState(): void {
    const { sale, openCharges, recent } = this.terminal.state;
    const reversals = openCharges.filter(({ purpose }) => purpose === "reversal");
    must(reversals.length <= MAXIMUM_REVERSALS && recent.length <= RECENT_SALES, "nothing grows without end");
    must(new Set(openCharges.map(({ key }) => key)).size === openCharges.length, "a charge is open once");
    if (sale === null) return;
    const listens = isOrdering(sale.phase) && this.#earOpen;
    const alive = sale.timer !== null || sale.saying !== null || listens;
    must(alive, `${sale.phase.kind} can go on`);
    // An ear that nobody has a clock on would wait for ever for a customer who left.
    must(sale.saying !== null || sale.timer !== null, `${sale.phase.kind} comes to an end`);
    must(!this.#earOpen || sale.saying === null, "half duplex");
    must(
      sale.basket.every(({ quantity: n }) => Number.isSafeInteger(n) && n > 0),
      "quantities are counts",
    );
    must(sale.basket.length <= this.terminal.settings.quantities.lines, "lines are limited");
    if (sale.phase.kind === "listening") must(sale.basket.length === 0, "nothing was ordered");
    if (sale.phase.kind === "awaiting-card") must(sale.basket.length > 0, "something was ordered");
  }

  /** Nothing is forgotten: each authorisation was answered for good, is at the counter, or is watched. */
  judgeEnd(): void {
    const { sale, openCharges, openRefunds } = this.terminal.state;
    const now = sale !== null && "charge" in sale.phase ? sale.phase.charge.key : null;
    const finals = new Set<string>();
    for (const event of this.terminal.events) {
      if (event.kind !== "ledger.answered") continue;
      const { requestId, key, outcome } = event.answer;
      // A query that was refused tells nothing of the charge.
      const ofItself = !requestId.includes(":query") && !requestId.includes(":settle");
      const last = outcome.kind === "refused" ? ofItself : !["pending", "not-found"].includes(outcome.kind);
      if (last) finals.add(key);
    }
    for (const key of this.#authorised.keys()) {
      const watched =
        key === now ||
        [...openCharges, ...openRefunds].some((open) => open.key === key) ||
        this.#handedOver.has(key);
      must(watched || finals.has(key), `${key} is not forgotten`);
    }
  }

  /** The journal folds to the same state. */
  judgeReplay(): void {
    let state = EMPTY_TERMINAL;
    let settings: SaleSettings = SETTINGS;
    for (const event of this.terminal.events) {
      if (event.kind === "settings.applied") settings = event.settings;
      state = step(settings, state, event).state;
    }
    expect(state).toEqual(this.terminal.state);
  }
}

function must(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`broken: ${promise}`);
}

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  // Mostly the newest, now and then an old one.
  return which % 4 === 0 ? items[which % Math.max(items.length, 1)] : items.at(-1);
}

function outcomeOf(kind: LedgerOutcome["kind"], amount: Money): LedgerOutcome {
  switch (kind) {
    case "approved":
      return { kind, authorisation: "A1", gateway: "g", amount };
    case "declined":
      return { kind, reason: "not-honoured", gateway: "g" };
    case "refused":
      return { kind, reason: "unknown-terminal" };
    case "refunded":
      return { kind, amount, total: amount, gateway: "g" };
    case "refund-refused":
      return { kind, reason: "gateway" };
    case "pending":
    case "reversed":
    case "not-found":
      return { kind };
  }
}

describe("whatever happens, in whatever order", () => {
  it("money is safe and the dialogue goes on", () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: EVENTS, size: "max" }), (moves) => {
        const walk = new Walk();
        walk.take({ kind: "event", event: { kind: "link.changed", up: true } });
        for (const next of moves) walk.take(next);
        walk.judgeEnd();
        walk.judgeReplay();
      }),
      { numRuns: WALKS, seed: SEED },
    );
  });
});
