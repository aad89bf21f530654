/**
 * A crash before and after every single step of the ledger's work: what one storage operation or gateway call did stays
 * done, whatever was waiting for its answer is forgotten, and the next life with the terminal's repetitions comes to the
 * same end as if nothing had happened.
 */
import { describe, expect, test } from "vitest";
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { Clearing } from "../../sync/ledger/clearing.ts";
import { fromStorage, type GatewayWant, type Job } from "../../sync/ledger/procedure.ts";
import { SteppedDesk, type SteppedRun } from "../../sync/ledger/stepped-desk.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { authorise, honour, inWords, query, refund, reverse, takeBack } from "../support/ledger-desk.ts";

/** Steps of all requests of a story together are fewer than this. */
const MOST_STEPS = 60;
/** Lives and rounds in which everything must have come to rest. */
const MOST_ROUNDS = 8;

/** A bank without a network: charges and gives back at once, keeps its keys. */
class Bank {
  readonly charges = new Map<string, { minor: bigint; state: "charged" | "declined" | "blocked" }>();
  readonly refunds = new Map<string, { gatewayKey: string; minor: bigint }>();
  readonly #declines: boolean;

  constructor(declines: boolean) {
    this.#declines = declines;
  }

  meet(want: GatewayWant): unknown {
    const { gatewayKey, amount, orderId, merchant } = want.order;
    const known = this.charges.get(gatewayKey);
    const word = (): unknown => {
      const charge = this.charges.get(gatewayKey);
      if (charge?.state === "charged") {
        const charged = { amount: { ...amount, minor: charge.minor }, orderId, merchant };
        return { kind: "success", authorisation: `A-${gatewayKey}`, charged };
      }
      return { kind: "failure", reason: "not-honoured" };
    };
    switch (want.operation) {
      case "authorise":
        if (known === undefined) {
          const state = this.#declines ? "declined" : "charged";
          this.charges.set(gatewayKey, { minor: amount.minor, state });
        }
        return word();
      case "query":
        if (known === undefined) return { kind: "not-found" };
        return known.state === "blocked" ? { kind: "reversed" } : word();
      case "reverse":
        if (this.givenBack(gatewayKey) > 0n) return { kind: "failure", note: "given back in part" };
        if (known?.state !== "declined")
          this.charges.set(gatewayKey, { minor: amount.minor, state: "blocked" });
        return { kind: "success" };
      case "refund": {
        const { refundKey } = want.order;
        if (this.refunds.has(refundKey)) return { kind: "success" };
        const left = known?.state === "charged" ? known.minor - this.givenBack(gatewayKey) : 0n;
        if (amount.minor > left) return { kind: "failure", note: "more than is left" };
        this.refunds.set(refundKey, { gatewayKey, minor: amount.minor });
        return { kind: "success" };
      }
    }
  }

  givenBack(gatewayKey: string): bigint {
    return [...this.refunds.values()].reduce(
      (sum, one) => (one.gatewayKey === gatewayKey ? sum + one.minor : sum),
      0n,
    );
  }

  /** What customers have paid in the end. */
  kept(): bigint {
    return [...this.charges].reduce(
      (sum, [key, { minor, state }]) => (state === "charged" ? sum + minor - this.givenBack(key) : sum),
      0n,
    );
  }
}

type Crash = { readonly step: number; readonly when: "before" | "after" };

/** Raised where the ledger dies. */
class Death extends Error {}

class Lives {
  readonly storage = new SqliteLedgerStorage(":memory:");
  readonly bank: Bank;
  readonly said: string[] = [];
  steps = 0;
  readonly #crash: Crash | null;
  #nowMs = 1_795_000_000_000;
  #desk = new SteppedDesk();
  readonly #clearing: Clearing;

  constructor(crash: Crash | null, declines: boolean) {
    this.#crash = crash;
    this.bank = new Bank(declines);
    this.storage.open();
    this.#clearing = new Clearing({
      gateway: {
        id: "bank",
        capabilities: {
          currencies: "all",
          minimumMinor: 1n,
          idempotentAuthorise: true,
          lateArrivalMs: 0,
          partialRefund: true,
        },
      },
      now: () => this.#nowMs,
      patience: { gatewayTimeoutMs: 6_000, firstRetryMs: 1_000, maxRetryMs: 60_000 },
      merchantOf: () => "cafe",
    });
  }

  /** Asks as a terminal does: again and again until the answer is not "pending". */
  ask(request: LedgerRequest): void {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const outcome = this.#lived(() => this.#run(this.#clearing.request("counter-1", request)));
      if (outcome !== undefined && outcome.kind !== "pending") {
        this.said.push(`${request.kind} ${inWords(outcome satisfies LedgerOutcome)}`);
        return;
      }
      this.settle();
    }
    throw new Error(`${request.kind} ${request.key} is never answered`);
  }

  /** The resolver's rounds until nothing is due. */
  settle(): void {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      this.#nowMs += 120_000;
      const due = this.#lived(() => {
        const jobs = this.#run({ lane: "due", procedure: this.#clearing.due() });
        for (const job of jobs) this.#run(job);
        return jobs.length;
      });
      if (due === 0) return;
    }
    throw new Error("the ledger does not come to rest");
  }

  /** The work, or undefined when the ledger died in it; then it has started again. */
  #lived<Result>(work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      this.#desk = new SteppedDesk();
      this.#run({ lane: "wake", procedure: this.#clearing.wake() });
      return undefined;
    }
  }

  #run<Result>(job: Job<Result>): Result {
    const run = this.#desk.begin(job);
    while (run.want !== undefined) this.#step(run);
    if (run.status.kind === "done") return run.status.result;
    throw run.status.kind === "failed" ? run.status.error : new Error(`the run is ${run.status.kind}`);
  }

  #step(run: SteppedRun<unknown>): void {
    const { want } = run;
    if (want === undefined) return;
    this.steps += 1;
    const dies = this.#crash?.step === this.steps ? this.#crash.when : null;
    if (dies === "before") throw new Death();
    const answer = want.kind === "storage" ? fromStorage(this.storage, want) : this.bank.meet(want);
    if (dies === "after") throw new Death();
    run.resume(answer);
  }
}

const STORIES: readonly [string, boolean, readonly LedgerRequest[]][] = [
  ["a sale", false, [authorise("s/1"), query("s/1")]],
  ["a sale that is declined", true, [authorise("s/1"), query("s/1")]],
  ["a sale that is given up", false, [authorise("s/1"), reverse("s/1")]],
  ["a sale that is taken back", false, [authorise("s/1"), takeBack("s/1"), refund("s/refund-a", 1_000)]],
  [
    "a sale that is given back in parts, and too much of it",
    false,
    [
      authorise("s/1"),
      refund("s/refund-a", 4_000),
      refund("s/refund-b", 12_000),
      refund("s/refund-c", 11_000),
      takeBack("s/1"),
    ],
  ],
  [
    "a sale that is handed over and paid",
    false,
    [authorise("s/1"), honour("s/1"), refund("s/refund-a", 15_000)],
  ],
  [
    "a sale that is handed over and declined",
    true,
    [authorise("s/1"), honour("s/1"), refund("s/refund-a", 1_000)],
  ],
  ["a reversal that comes first", false, [reverse("s/1"), authorise("s/1"), refund("s/refund-a", 1_000)]],
];

function told(crash: Crash | null, declines: boolean, story: readonly LedgerRequest[]) {
  const lives = new Lives(crash, declines);
  for (const request of story) lives.ask(request);
  lives.settle();
  const { transactions, accounts, balanced } = lives.storage.statement({ limit: 10 });
  const audit = lives.storage.verify();
  const end = {
    said: lives.said,
    kept: lives.bank.kept(),
    charges: lives.bank.charges.size,
    balanced,
    states: transactions.map(({ state, mode, refundedMinor, refunds }) => ({
      state,
      mode,
      refundedMinor,
      refunds: refunds.map((one) => `${one.key} ${one.state} ${one.refusal ?? ""}`),
    })),
    uneven: accounts
      .filter(({ debit, credit }) => debit !== credit)
      .map(({ kind, layer, debit, credit }) => `${kind} ${layer} ${debit - credit}`),
    alarms: lives.storage.alarms(10).map(({ kind, count }) => `${kind} ${count}`),
    broken: audit.firstBroken,
    strayed: audit.strayed,
  };
  const clearing = accounts.find(({ kind, layer }) => kind === "clearing" && layer === "posted");
  expect(clearing === undefined ? 0n : clearing.debit - clearing.credit).toBe(end.kept);
  lives.storage.close();
  return { end, steps: lives.steps };
}

describe("a crash at every step of", () => {
  test.each(STORIES)("%s", (_name, declines, story) => {
    const calm = told(null, declines, story);
    expect(calm.end).toMatchObject({ balanced: true, broken: null, strayed: [] });
    expect(calm.steps).toBeGreaterThan(2);
    expect(calm.steps).toBeLessThan(MOST_STEPS);
    for (let step = 1; step <= calm.steps; step += 1) {
      for (const when of ["before", "after"] as const) {
        const { end } = told({ step, when }, declines, story);
        expect({ step, when, ...end }).toEqual({ step, when, ...calm.end });
      }
    }
  });
});
