/**
 * The payment gateway and the bank behind it, as one machine that nobody can crash: it commits and loses its answer,
 * is slow, decides later, declines, says what nobody understands, refuses to take back what it has settled, and tells
 * what became of a charge by notices that come twice, late, or before its own answer.
 *
 * It counts what it really charged, by itself and by order: the rules compare that with the ledger's books.
 */
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import type { Capabilities, ChargeOrder, Order } from "../../sync/ledger/gateways/gateway.ts";
import type { GatewayWant } from "../../sync/ledger/procedure.ts";
import type { FaultPlace } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Money that moved, in the order in which it moved. */
export type Movement = {
  readonly kind: "charge" | "reversal" | "refund";
  readonly gatewayKey: string;
  readonly orderId: string;
  readonly minor: bigint;
};

type Status = "charged" | "declined" | "pending" | "blocked" | "reversed";

export type BankCharge = {
  readonly gatewayKey: string;
  readonly orderId: string;
  readonly merchant: string;
  readonly minor: bigint;
  readonly currency: string;
  readonly authorisation: string;
  status: Status;
  reason: DeclineReason;
  refundedMinor: bigint;
  /** Paid out to the shop already: it can be refunded and not reversed any more. */
  settled: boolean;
};

const DECLINES: readonly DeclineReason[] = [
  "insufficient-funds",
  "card-blocked",
  "limit-exceeded",
  "not-honoured",
];

/** A call that was lost may still arrive until then, which is what the gateway promises (`lateArrivalMs`). */
export const LATE_ARRIVAL_MS = 30_000;

export type BankPorts = {
  readonly scheduler: Scheduler;
  readonly faults: FaultPlace;
  readonly random: Random;
  readonly idempotent: boolean;
  readonly checksRefunds: boolean;
  readonly moved: (movement: Movement) => void;
  /** A notice for the ledger: something happened to this charge. */
  readonly notice: (gatewayKey: string) => void;
};

export class Bank {
  readonly charges = new Map<string, BankCharge>();
  readonly movements: Movement[] = [];
  readonly capabilities: Capabilities;
  readonly #ports: BankPorts;
  readonly #refunds = new Map<string, bigint>();
  #authorisations = 0;

  constructor(ports: BankPorts) {
    this.#ports = ports;
    this.capabilities = {
      currencies: "all",
      minimumMinor: 100n,
      idempotentAuthorise: ports.idempotent,
      lateArrivalMs: ports.idempotent ? 0 : LATE_ARRIVAL_MS,
      partialRefund: true,
    };
  }

  /** One call. `answer` is called at most once, perhaps long after anybody waits for it. */
  call(want: GatewayWant, answer: (result: unknown) => void): void {
    const { scheduler, faults, random } = this.#ports;
    if (faults.strikes("gateway-lost")) return;
    const slow = faults.strikes("gateway-slow");
    const transitMs = slow
      ? faults.random("gateway-slow").spread(500, LATE_ARRIVAL_MS - 1)
      : random.whole(5, 60);
    scheduler.after(transitMs, () => {
      const result = this.#done(want);
      if (faults.strikes("gateway-late")) {
        const lateMs = faults.random("gateway-late").spread(3_000, 600_000);
        scheduler.after(lateMs, () => answer(result));
        return;
      }
      scheduler.after(random.whole(5, 60), () => answer(this.#said(result)));
    });
  }

  /** What the bank really holds of an order: charged and neither reversed nor refunded. */
  netOf(orderId: string): bigint {
    let net = 0n;
    for (const movement of this.movements) {
      if (movement.orderId !== orderId) continue;
      net += movement.kind === "charge" ? movement.minor : -movement.minor;
    }
    return net;
  }

  #done(want: GatewayWant): unknown {
    switch (want.operation) {
      case "authorise":
        return this.#answerOf(this.#authorise(want.order));
      case "query": {
        const charge = this.charges.get(want.order.gatewayKey);
        if (charge === undefined) return { kind: "not-found" };
        if (charge.status === "blocked" || charge.status === "reversed") return { kind: "reversed" };
        return this.#answerOf(charge);
      }
      case "reverse":
        return this.#reverse(want.order);
      case "refund":
        return this.#refund(want.order.refundKey, want.order);
    }
  }

  #authorise(order: ChargeOrder): BankCharge {
    const { faults } = this.#ports;
    const known = this.charges.get(order.gatewayKey);
    if (known !== undefined) {
      // A gateway without idempotency charges whatever comes, unless the order was taken back before.
      if (!this.#ports.idempotent && known.status === "charged") this.#move("charge", known, known.minor);
      return known;
    }
    const charge = this.#open(order);
    if (faults.strikes("gateway-declines")) {
      charge.status = "declined";
      charge.reason = faults.random("gateway-declines").pick(DECLINES);
    } else if (faults.strikes("gateway-pending")) {
      this.#decideLater(charge);
      return charge;
    } else {
      this.#charge(charge);
    }
    this.#tell(charge);
    return charge;
  }

  #decideLater(charge: BankCharge): void {
    const { scheduler, faults } = this.#ports;
    const random = faults.random("gateway-pending");
    const declined = random.chance(0.3);
    charge.status = "pending";
    scheduler.after(random.spread(1_000, 900_000), () => {
      if (charge.status !== "pending") return;
      if (declined) charge.status = "declined";
      else this.#charge(charge);
      this.#tell(charge);
    });
  }

  #charge(charge: BankCharge): void {
    charge.status = "charged";
    this.#move("charge", charge, charge.minor);
  }

  #reverse(order: Order): unknown {
    const { faults } = this.#ports;
    const charge = this.charges.get(order.gatewayKey) ?? this.#open(order, "blocked");
    if (charge.status === "pending") charge.status = "blocked";
    if (charge.status !== "charged") return { kind: "success" };
    charge.settled ||= faults.strikes("gateway-refuses-reversal");
    if (charge.settled) return { kind: "failure", note: "settled already" };
    if (charge.refundedMinor > 0n) return { kind: "failure", note: "refunded in part" };
    charge.status = "reversed";
    this.#move("reversal", charge, charge.minor);
    return { kind: "success" };
  }

  #refund(refundKey: string, order: Order): unknown {
    if (this.#refunds.has(refundKey)) return { kind: "success" };
    const charge = this.charges.get(order.gatewayKey);
    const { minor } = order.amount;
    const fits = charge?.status === "charged" && minor > 0n && charge.refundedMinor + minor <= charge.minor;
    if (charge === undefined || (this.#ports.checksRefunds && !fits))
      return { kind: "failure", note: "more than is left of the charge" };
    this.#refunds.set(refundKey, minor);
    charge.refundedMinor += minor;
    this.#move("refund", charge, minor);
    return { kind: "success" };
  }

  #open(order: Order, status: Status = "pending"): BankCharge {
    this.#authorisations += 1;
    const charge: BankCharge = {
      gatewayKey: order.gatewayKey,
      orderId: order.orderId,
      merchant: order.merchant,
      minor: order.amount.minor,
      currency: order.amount.currency,
      authorisation: `B${this.#authorisations}`,
      status,
      reason: "not-honoured",
      refundedMinor: 0n,
      settled: false,
    };
    this.charges.set(order.gatewayKey, charge);
    return charge;
  }

  #answerOf(charge: BankCharge): unknown {
    switch (charge.status) {
      case "charged":
        return {
          kind: "success",
          authorisation: charge.authorisation,
          charged: {
            amount: { minor: charge.minor, currency: charge.currency },
            orderId: charge.orderId,
            merchant: charge.merchant,
          },
        };
      case "declined":
        return { kind: "failure", reason: charge.reason };
      case "blocked":
      case "reversed":
        return { kind: "failure", reason: "not-honoured" };
      case "pending":
        return { kind: "pending", note: "undecided" };
    }
  }

  /** What arrives of an answer: it may name another amount, or be nothing that anybody understands. */
  #said(result: unknown): unknown {
    const { faults } = this.#ports;
    if (faults.strikes("gateway-garbage")) return { kind: "<html>502 Bad Gateway</html>", note: "" };
    if (isSuccessOfCharge(result) && faults.strikes("gateway-wrong-amount")) {
      const { charged } = result;
      const amount = { ...charged.amount, minor: charged.amount.minor + 1n };
      return { ...result, charged: { ...charged, amount } };
    }
    return result;
  }

  #move(kind: Movement["kind"], charge: BankCharge, minor: bigint): void {
    const movement = { kind, gatewayKey: charge.gatewayKey, orderId: charge.orderId, minor };
    this.movements.push(movement);
    this.#ports.moved(movement);
  }

  #tell(charge: BankCharge): void {
    const { scheduler, faults, notice } = this.#ports;
    while (faults.strikes("gateway-notices")) {
      const delayMs = faults.random("gateway-notices").spread(1, 300_000);
      scheduler.after(delayMs, () => notice(charge.gatewayKey));
      if (faults.random("gateway-notices").chance(0.5)) return;
    }
  }
}

type ChargeSuccess = {
  readonly kind: "success";
  readonly charged: { readonly amount: { readonly minor: bigint; readonly currency: string } };
};

function isSuccessOfCharge(result: unknown): result is ChargeSuccess {
  return typeof result === "object" && result !== null && "charged" in result;
}
