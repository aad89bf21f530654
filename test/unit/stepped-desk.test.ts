/** The procedures of the ledger driven step by step, without promises, on a real SQLite database in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Clearing } from "../../sync/ledger/clearing.ts";
import { MAX_WAITING_PER_LANE } from "../../sync/ledger/clearing-desk.ts";
import type { Capabilities } from "../../sync/ledger/gateways/gateway.ts";
import type { GatewayWant, Want } from "../../sync/ledger/procedure.ts";
import { fromStorage } from "../../sync/ledger/procedure.ts";
import { SteppedDesk, type SteppedRun } from "../../sync/ledger/stepped-desk.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";
import { authorise, inWords, query, reverse } from "../support/ledger-desk.ts";

let nowMs: number;
let storage: SqliteLedgerStorage;
let clearing: Clearing;
let desk: SteppedDesk;
beforeEach(() => {
  nowMs = 1_795_000_000_000;
  storage = new SqliteLedgerStorage(":memory:");
  storage.open();
  clearing = clearingOf({});
  desk = new SteppedDesk();
});
afterEach(() => {
  storage.close();
});

function clearingOf(capabilities: Partial<Capabilities>): Clearing {
  return new Clearing({
    gateway: {
      id: "sandbox",
      capabilities: {
        currencies: "all",
        minimumMinor: 1n,
        idempotentAuthorise: true,
        lateArrivalMs: 0,
        partialRefund: true,
        ...capabilities,
      },
    },
    now: () => nowMs,
    patience: { gatewayTimeoutMs: 6_000, firstRetryMs: 1_000, maxRetryMs: 60_000 },
    merchantOf: () => "cafe",
  });
}

const CHARGED = { orderId: "s", merchant: "cafe", amount: { minor: 15_000n, currency: "KRW" } };
const APPROVED = { kind: "success", authorisation: "A1", charged: CHARGED };

/** Meets what the run wants: storage for real, the gateway with the given answer. Gives the want. */
function step(run: SteppedRun<unknown>, gateway: (want: GatewayWant) => unknown = () => APPROVED): Want {
  const { want } = run;
  if (want === undefined) throw new Error(`the run is ${run.status.kind}`);
  run.resume(want.kind === "storage" ? fromStorage(storage, want) : gateway(want));
  return want;
}

function finish(run: SteppedRun<unknown>, gateway?: (want: GatewayWant) => unknown): string[] {
  const wants: string[] = [];
  while (run.want !== undefined) {
    const { operation } = step(run, gateway);
    wants.push(operation);
  }
  return wants;
}

describe("a run", () => {
  test("wants one thing at a time, and ends with the outcome", () => {
    const run = desk.begin(clearing.request("counter-1", authorise("s/1")));
    expect(finish(run)).toEqual(["openCharge", "authorise", "settle"]);
    expect(run.status).toMatchObject({ kind: "done", result: { kind: "approved", authorisation: "A1" } });
    expect(desk.idle).toBe(true);
  });

  test("that is forgotten between two steps is found by the next life", () => {
    const run = desk.begin(clearing.request("counter-1", authorise("s/1")));
    step(run);
    expect(run.want).toMatchObject({ kind: "gateway", operation: "authorise" });
    desk = new SteppedDesk();
    finish(desk.begin({ lane: "wake", procedure: clearing.wake() }));
    const round = desk.begin({ lane: "due", procedure: clearing.due() });
    finish(round);
    if (round.status.kind !== "done") throw new Error("not done");
    const runs = round.status.result.map((job) => desk.begin(job));
    expect(runs.map((each) => finish(each))).toEqual([["find", "beginAttempt", "query", "settle"]]);
    expect(storage.find("counter-1", "s/1")?.state).toBe("approved");
  });

  test("that takes back what was settled already first finds out what was charged", () => {
    const run = desk.begin(clearing.request("counter-1", authorise("s/1")));
    const silent = { kind: "pending", note: "no answer in time" };
    finish(run, () => silent);
    const settled: Readonly<Record<string, unknown>> = {
      reverse: { kind: "failure", note: "settled already" },
      query: APPROVED,
      refund: { kind: "success" },
    };
    const back = desk.begin(clearing.request("counter-1", reverse("s/1")));
    const wants = finish(back, ({ operation }) => settled[operation]);
    expect(wants.filter((want) => want in settled)).toEqual(["reverse", "query", "refund"]);
    expect(back.status).toMatchObject({ kind: "done", result: { kind: "reversed" } });
    expect(storage.find("counter-1", "s/1")).toMatchObject({ state: "reversed", authorisation: "A1" });
    expect(storage.statement({ limit: 1 }).balanced).toBe(true);
  });

  test("ends with the error that is thrown into it, and leaves its lane", () => {
    const run = desk.begin(clearing.request("counter-1", query("s/1")));
    run.fail(new Error("disk full"));
    expect(run.status).toMatchObject({ kind: "failed", error: { message: "disk full" } });
    expect(desk.idle).toBe(true);
    expect(() => run.resume(1)).toThrow("a run that is failed wants nothing");
    expect(() => run.start()).toThrow("a run that is failed cannot start");
  });
});

describe("a lane", () => {
  test("does one thing after the other; other lanes go side by side", () => {
    const first = desk.begin(clearing.request("counter-1", authorise("s/1")));
    const second = desk.begin(clearing.request("counter-1", reverse("s/1")));
    const other = desk.begin(clearing.request("counter-2", query("s/1")));
    expect(second.status.kind).toBe("waiting");
    expect(desk.wanting()).toEqual([first, other]);
    finish(first);
    expect(desk.wanting()).toEqual([second, other]);
    finish(second, () => ({ kind: "success" }));
    finish(other);
    const outcomes = [first, second, other].map(({ status }) =>
      status.kind === "done" ? inWords(status.result) : status.kind,
    );
    expect(outcomes).toEqual(["approved", "reversed", "not-found"]);
  });

  test("takes no more than its limit", () => {
    const ask = () => desk.begin(clearing.request("counter-1", query("s/1")));
    for (let asked = 0; asked < MAX_WAITING_PER_LANE; asked += 1) ask();
    expect(ask).toThrow("is full");
  });
});

describe("two workers on one database", () => {
  test("a reversal that finds no charge, while another worker stores it, reverses it all the same", () => {
    const other = new SteppedDesk();
    const run = desk.begin(clearing.request("counter-1", reverse("s/1")));
    step(run);
    finish(other.begin(clearing.request("counter-1", authorise("s/1"))));
    expect(run.want).toMatchObject({ operation: "entomb" });
    expect(finish(run, () => ({ kind: "success" }))).toEqual([
      "entomb",
      "find",
      "askReversal",
      "beginAttempt",
      "reverse",
      "settle",
    ]);
    expect(storage.find("counter-1", "s/1")?.state).toBe("reversed");
  });

  test("both ask for a charge that nobody knows: only one sends it again when the gateway would charge twice", () => {
    clearing = clearingOf({ idempotentAuthorise: false, lateArrivalMs: 60_000 });
    const silent = () => ({ kind: "pending", note: "no answer in time" });
    finish(desk.begin(clearing.request("counter-1", authorise("s/1"))), silent);
    nowMs += 60_001;
    const others = [new SteppedDesk(), new SteppedDesk()];
    const runs = others.map((each) => each.begin(clearing.resolve("counter-1", "s/1")));
    const unknown = (run: SteppedRun<unknown>): string => step(run, () => ({ kind: "not-found" })).operation;
    for (const want of ["find", "beginAttempt", "query", "settle", "beginResend"]) {
      for (const run of runs) if (run.want?.operation === want) unknown(run);
    }
    const sending = runs.filter(({ want }) => want?.operation === "authorise");
    expect(sending).toHaveLength(1);
  });
});
