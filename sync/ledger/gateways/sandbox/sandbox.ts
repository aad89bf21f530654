/**
 * The sandbox gateway: behaves like a payment gateway in every way that matters to the ledger, including the ways
 * that hurt (see behaviour.ts), and charges nobody.
 *
 * The charge is on disk before the answer leaves, so that killing the ledger in between leaves a real charge behind.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type {
  AuthoriseResult,
  Capabilities,
  ChargeOrder,
  Gateway,
  GatewayKind,
  GatewaySurroundings,
  Order,
  Pending,
  QueryResult,
  RefundOrder,
  ReverseResult,
} from "../gateway.ts";
import type { BankCharge, BankRefund, BankRefundStatus, Plan } from "./bank.ts";
import { SandboxBank } from "./bank.ts";
import type { Behaviour } from "./behaviour.ts";
import { behaviourOfAmount, declineOf } from "./behaviour.ts";

export const SANDBOX_SETTINGS = z.strictObject({
  /** Whether the last digits of an amount choose the behaviour. */
  byAmount: z.boolean().default(true),
  transitMs: z.int().min(0).max(600_000).default(0),
  latencyMs: z.int().min(0).max(600_000).default(40),
  lateMs: z.int().min(0).max(3_600_000).default(120_000),
  pendingMs: z.int().min(0).max(3_600_000).default(3_000),
});
export type SandboxSettings = z.output<typeof SANDBOX_SETTINGS>;

const CAPABILITIES: Capabilities = {
  currencies: "all",
  minimumMinor: 1n,
  idempotentAuthorise: true,
  lateArrivalMs: 0,
  partialRefund: true,
};

export class SandboxGateway implements Gateway {
  readonly id = "sandbox";
  readonly capabilities = CAPABILITIES;
  readonly #settings: SandboxSettings;
  readonly #now: () => number;
  readonly #bank: SandboxBank;
  readonly #closing = new AbortController();

  constructor(settings: SandboxSettings, surroundings: GatewaySurroundings) {
    this.#settings = settings;
    this.#now = surroundings.now;
    this.#bank = new SandboxBank(join(surroundings.folder, "sandbox.sqlite"));
  }

  async open(): Promise<void> {
    this.#bank.open();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#bank.close();
  }

  async authorise(order: ChargeOrder, signal: AbortSignal): Promise<AuthoriseResult> {
    const known = this.#bank.find(order.gatewayKey);
    if (known !== undefined && known.status !== "lost") {
      this.#bank.countCall(order.gatewayKey);
      requireSame(known, order);
      await this.#wait(this.#settings.latencyMs, signal);
      return this.#answer(this.#decided(known), order.merchant);
    }
    const plan = known === undefined ? this.#bank.takePlan("charge") : undefined;
    const behaviour = known === undefined ? this.#behaviour(order, plan) : "approve";
    await this.#wait(plan?.transitMs ?? this.#settings.transitMs, signal);
    const charge = known === undefined ? this.#record(order, behaviour) : this.#retry(order.gatewayKey);
    if (charge.status === "lost") return this.#silence(signal);
    await this.#wait(
      behaviour === "late-answer" ? this.#settings.lateMs : (plan?.latencyMs ?? this.#settings.latencyMs),
      signal,
    );
    return this.#answer(charge, order.merchant);
  }

  async query(order: Order, signal: AbortSignal): Promise<QueryResult> {
    await this.#wait(this.#settings.latencyMs, signal);
    const charge = this.#bank.find(order.gatewayKey);
    if (charge === undefined || charge.status === "lost") return { kind: "not-found" };
    const decided = this.#decided(charge);
    if (decided.status === "blocked" || decided.status === "reversed") return { kind: "reversed" };
    return this.#answer(decided, decided.merchant);
  }

  async reverse(order: Order, signal: AbortSignal): Promise<ReverseResult> {
    const charge = this.#bank.find(order.gatewayKey);
    if (charge === undefined) this.#record(order, "approve", "blocked");
    else if (charge.status === "charged" && this.#bank.hasRefunds(order.gatewayKey)) {
      return { kind: "failure", note: "refunded in part, refund the rest" };
    } else if (charge.status === "charged") this.#bank.move(order.gatewayKey, "reversed");
    else if (charge.status === "pending" || charge.status === "lost")
      this.#bank.move(order.gatewayKey, "blocked");
    await this.#wait(this.#settings.latencyMs, signal);
    return { kind: "success" };
  }

  async refund(order: RefundOrder, signal: AbortSignal): Promise<ReverseResult> {
    const known = this.#bank.findRefund(order.refundKey);
    if (known !== undefined) requireSameRefund(known, order);
    if (known !== undefined && known.status !== "lost") {
      this.#bank.countRefundCall(order.refundKey);
      await this.#wait(this.#settings.latencyMs, signal);
      return refundAnswer(this.#decidedRefund(known));
    }
    const plan = known === undefined ? this.#bank.takePlan("refund") : undefined;
    const behaviour = known === undefined ? this.#behaviour(order, plan) : "approve";
    await this.#wait(plan?.transitMs ?? this.#settings.transitMs, signal);
    const refund =
      known === undefined ? this.#recordRefund(order, behaviour) : this.#retryRefund(order.refundKey);
    if (refund.status === "lost") return this.#silence(signal);
    await this.#wait(
      behaviour === "late-answer" ? this.#settings.lateMs : (plan?.latencyMs ?? this.#settings.latencyMs),
      signal,
    );
    return refundAnswer(refund);
  }

  /** Told for the next charges or refunds; plans are used up in the order in which they were made. */
  plan(plan: Plan): void {
    this.#bank.plan(plan);
  }

  plans(): { plan: Plan; remaining: number }[] {
    return this.#bank.plans();
  }

  clearPlans(): void {
    this.#bank.clearPlans();
  }

  charges(): BankCharge[] {
    return this.#bank.charges();
  }

  refunds(): BankRefund[] {
    return this.#bank.refunds();
  }

  #behaviour(order: Order, plan: Plan | undefined): Behaviour {
    if (plan?.behaviour !== undefined) return plan.behaviour;
    return this.#settings.byAmount ? behaviourOfAmount(order.amount.minor) : "approve";
  }

  #record(
    order: Order & { mode?: "online" | "offline" },
    behaviour: Behaviour,
    status?: BankCharge["status"],
  ): BankCharge {
    const undecided = behaviour === "pending" || behaviour === "pending-declined";
    const nowMs = this.#now();
    // A reversal may have come while this call was on its way: then the key is blocked and nothing is charged.
    const crossed = this.#bank.find(order.gatewayKey);
    if (crossed !== undefined) return crossed;
    return this.#bank.record({
      gatewayKey: order.gatewayKey,
      orderId: order.orderId,
      merchant: order.merchant,
      minor: order.amount.minor,
      currency: order.amount.currency,
      mode: order.mode ?? "online",
      status: status ?? firstStatus(behaviour),
      behaviour,
      decideMs: undecided ? nowMs + this.#settings.pendingMs : null,
      createdMs: nowMs,
    });
  }

  /** The call after a lost one gets through, unless a reversal came first. */
  #retry(gatewayKey: string): BankCharge {
    this.#bank.countCall(gatewayKey);
    const current = this.#bank.find(gatewayKey);
    return current === undefined || current.status === "lost"
      ? this.#bank.move(gatewayKey, "charged")
      : current;
  }

  #recordRefund(order: RefundOrder, behaviour: Behaviour): BankRefund {
    const { gatewayKey, refundKey, amount } = order;
    // The same refund may have come by another call while this one was on its way.
    const crossed = this.#bank.findRefund(refundKey);
    if (crossed !== undefined) return crossed;
    const charge = this.#bank.find(gatewayKey);
    if (charge !== undefined) this.#decided(charge);
    const status = firstRefundStatus(behaviour);
    const decideMs = status === "pending" ? this.#now() + this.#settings.pendingMs : null;
    return this.#bank.recordRefund({
      gatewayKey,
      refundKey,
      minor: amount.minor,
      status,
      behaviour,
      decideMs,
    });
  }

  /** The call after a lost one gets through. */
  #retryRefund(refundKey: string): BankRefund {
    this.#bank.countRefundCall(refundKey);
    return this.#bank.decideRefund(refundKey, "refunded");
  }

  /** A pending refund decides itself when its time has come. */
  #decidedRefund(refund: BankRefund): BankRefund {
    if (refund.status !== "pending" || refund.decideMs === null || this.#now() < refund.decideMs)
      return refund;
    const wanted = refund.behaviour === "pending-declined" ? "refused" : "refunded";
    return this.#bank.decideRefund(refund.refundKey, wanted);
  }

  /** A pending charge decides itself when its time has come. */
  #decided(charge: BankCharge): BankCharge {
    if (charge.status !== "pending" || charge.decideMs === null || this.#now() < charge.decideMs)
      return charge;
    return this.#bank.move(
      charge.gatewayKey,
      charge.behaviour === "pending-declined" ? "declined" : "charged",
    );
  }

  #answer(charge: BankCharge, merchant: string): AuthoriseResult {
    switch (charge.status) {
      case "charged": {
        const minor = charge.behaviour === "wrong-amount" ? charge.minor + 1n : charge.minor;
        return {
          kind: "success",
          authorisation: charge.authorisation,
          charged: { amount: { minor, currency: charge.currency }, orderId: charge.orderId, merchant },
        };
      }
      case "declined":
        return { kind: "failure", reason: declineOf(charge.behaviour) ?? "not-honoured" };
      case "blocked":
      case "reversed":
        return { kind: "failure", reason: "not-honoured" };
      case "pending":
      case "lost":
        return { kind: "pending", note: "undecided" };
    }
  }

  /** Never answers; ends when the caller stops waiting. */
  async #silence(signal: AbortSignal): Promise<Pending> {
    await this.#wait(this.#settings.lateMs, signal);
    return { kind: "pending", note: "nobody answered" };
  }

  /** The wait is cut short when the caller stops waiting or the sandbox closes; what is done stays done. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0) return;
    await sleep(ms, undefined, { signal: AbortSignal.any([signal, this.#closing.signal]), ref: false });
  }
}

function firstStatus(behaviour: Behaviour): BankCharge["status"] {
  if (behaviour === "pending" || behaviour === "pending-declined") return "pending";
  if (behaviour === "time-out") return "lost";
  return declineOf(behaviour) === null ? "charged" : "declined";
}

function firstRefundStatus(behaviour: Behaviour): BankRefundStatus {
  if (behaviour === "pending" || behaviour === "pending-declined") return "pending";
  if (behaviour === "time-out") return "lost";
  return declineOf(behaviour) === null ? "refunded" : "refused";
}

function refundAnswer(refund: BankRefund): ReverseResult {
  switch (refund.status) {
    case "refunded":
      return { kind: "success" };
    case "refused": {
      const reason = declineOf(refund.behaviour);
      return { kind: "failure", note: reason ?? "more than is left of the charge" };
    }
    case "pending":
    case "lost":
      return { kind: "pending", note: "undecided" };
  }
}

function requireSameRefund(known: BankRefund, order: RefundOrder): void {
  if (known.gatewayKey !== order.gatewayKey || known.minor !== order.amount.minor)
    throw new Error(`refund key ${order.refundKey} belongs to another refund`);
}

/** Reusing a key for another payment is the caller's mistake and must not look like any answer to either payment. */
function requireSame(known: BankCharge, order: Order): void {
  const same =
    known.orderId === order.orderId &&
    known.merchant === order.merchant &&
    known.minor === order.amount.minor &&
    known.currency === order.amount.currency;
  if (!same) throw new Error(`gateway key ${order.gatewayKey} belongs to another order`);
}

export const SANDBOX: GatewayKind<typeof SANDBOX_SETTINGS> = {
  id: "sandbox",
  settings: SANDBOX_SETTINGS,
  build: (settings, surroundings) => new SandboxGateway(settings, surroundings),
};
