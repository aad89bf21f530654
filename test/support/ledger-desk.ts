/** A clearing desk on a real SQLite file with the real sandbox, and time that moves only when told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { ClearingDesk } from "../../sync/ledger/clearing-desk.ts";
import type { Clock } from "../../sync/ledger/gateway-call.ts";
import type { Gateway } from "../../sync/ledger/gateways/gateway.ts";
import { SANDBOX_SETTINGS, SandboxGateway } from "../../sync/ledger/gateways/sandbox/sandbox.ts";
import { Resolver } from "../../sync/ledger/resolver.ts";
import { SqliteLedgerStorage } from "../../sync/ledger/storage-sqlite.ts";

export type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;

export const GATEWAY_TIMEOUT_MS = 6_000;
export const PENDING_MS = 3_000;

export class ManualClock implements Clock {
  #nowMs = 1_795_000_000_000;
  #timers: { atMs: number; work: () => void }[] = [];

  readonly now = (): number => this.#nowMs;

  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Lets what can run now run, moves the time, fires what is due, lets that run. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settleTurns();
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.work();
    }
    this.#nowMs = endMs;
    await settleTurns();
  }
}

async function settleTurns(): Promise<void> {
  for (let turns = 0; turns < 8; turns += 1) await turn();
}

/** A sale of `minor` won; every field can be replaced. */
export function authorise(key: string, minor = 15_000, changes: Partial<Authorise> = {}): Authorise {
  const amount = { minor: BigInt(minor), currency: "KRW" };
  return {
    kind: "authorise",
    key,
    saleId: key.split("/")[0] ?? key,
    sequence: 1,
    amount,
    vat: { minor: BigInt(Math.floor(minor / 11)), currency: "KRW" },
    card: { token: `ntag424:${key}`, masked: "****-4821", counter: 1 },
    mode: "online",
    lines: [{ itemId: "americano", name: "아메리카노", quantity: 1, options: { size: "large" }, amount }],
    timeMs: 1_795_000_000_000,
    ...changes,
  };
}

export function query(key: string): LedgerRequest {
  return { kind: "query", key, saleId: key.split("/")[0] ?? key };
}

export function reverse(key: string): LedgerRequest {
  return { kind: "reverse", key, saleId: key.split("/")[0] ?? key, reason: "uncertain" };
}

/** Staff takes the whole sale back. */
export function takeBack(key: string): LedgerRequest {
  return { kind: "reverse", key, saleId: key.split("/")[0] ?? key, reason: "void" };
}

/** The goods of a charge that nobody answered were handed over. */
export function honour(key: string): LedgerRequest {
  return { kind: "honour", key, saleId: key.split("/")[0] ?? key };
}

export type RefundRequest = Extract<LedgerRequest, { kind: "refund" }>;

/** `minor` won back of the sale before the slash of the key. */
export function refund(key: string, minor: number, changes: Partial<RefundRequest> = {}): RefundRequest {
  const amount = { minor: BigInt(minor), currency: "KRW" };
  return { kind: "refund", key, saleId: key.split("/")[0] ?? key, amount, timeMs: 1, ...changes };
}

/** "approved", "declined insufficient-funds", "refused key-conflict" ... */
export function inWords(outcome: LedgerOutcome): string {
  return "reason" in outcome ? `${outcome.kind} ${outcome.reason}` : outcome.kind;
}

export class DeskWorld {
  readonly clock = new ManualClock();
  readonly folder = mkdtempSync(join(tmpdir(), "saypay-ledger-"));
  readonly sandbox: SandboxGateway;
  /** Tokens on the deny list. */
  readonly denied = new Set<string>();
  readonly #given: Gateway | undefined;
  storage!: SqliteLedgerStorage;
  desk!: ClearingDesk;
  resolver!: Resolver;

  constructor(gateway?: Gateway) {
    this.#given = gateway;
    const settings = SANDBOX_SETTINGS.parse({ latencyMs: 0, pendingMs: PENDING_MS, lateMs: 3_600_000 });
    this.sandbox = new SandboxGateway(settings, { folder: this.folder, now: this.clock.now });
  }

  async open(): Promise<this> {
    await this.sandbox.open();
    await this.start();
    return this;
  }

  /** A ledger on the files that are there, as after a start of the process. */
  async start(): Promise<void> {
    this.storage = new SqliteLedgerStorage(this.books);
    this.storage.open();
    this.storage.makeAllDue(this.clock.now());
    this.desk = new ClearingDesk({
      storage: this.storage,
      gateway: this.#given ?? this.sandbox,
      clock: this.clock,
      patience: { gatewayTimeoutMs: GATEWAY_TIMEOUT_MS, firstRetryMs: 1_000, maxRetryMs: 60_000 },
      merchantOf: (terminal) => (terminal.startsWith("counter-") ? "cafe" : undefined),
      isDenied: (token) => this.denied.has(token),
    });
    this.resolver = new Resolver({
      desk: this.desk,
      clock: this.clock,
      intervalMs: 500,
      onFault: (fault) => {
        throw fault;
      },
    });
  }

  /** As SIGKILL leaves it: whatever was under way is never answered. */
  async crash(): Promise<void> {
    this.storage.close();
  }

  get books(): string {
    return join(this.folder, "ledger.sqlite");
  }

  /** Asks, and waits as long as the ledger waits for its gateway. */
  async ask(request: LedgerRequest, terminal = "counter-1"): Promise<string> {
    const answer = this.desk.handle(terminal, request);
    let outcome: LedgerOutcome | undefined;
    const done = answer.then((value) => {
      outcome = value;
    });
    await settleTurns();
    for (let waits = 0; waits < 20 && outcome === undefined; waits += 1)
      await this.clock.advance(GATEWAY_TIMEOUT_MS);
    await done;
    return inWords(await answer);
  }

  /** One round of the resolver `ms` from now. */
  async resolve(ms: number): Promise<number> {
    await this.clock.advance(ms);
    const round = this.resolver.once();
    await settleTurns();
    await this.clock.advance(GATEWAY_TIMEOUT_MS);
    return round;
  }

  /** Charges that moved money at the bank. */
  charged(): number {
    return this.sandbox.charges().filter(({ status }) => status === "charged").length;
  }

  /** Accounts that are not even, customers without the fingerprint of their card; throws when the books do not balance. */
  uneven(): string[] {
    const { accounts, balanced } = this.storage.statement({ limit: 1 });
    if (!balanced) throw new Error("the books do not balance");
    return accounts
      .filter(({ debit, credit }) => debit !== credit)
      .map(({ kind, layer, debit, credit }) => `${kind} ${layer} ${debit - credit}`);
  }

  /** What the bank gave back of all charges, in won. */
  givenBack(): number {
    return Number(this.sandbox.charges().reduce((sum, { refundedMinor }) => sum + refundedMinor, 0n));
  }

  /** "key state amount" of every refund of every charge, as the books have them. */
  refunds(): string[] {
    const { transactions } = this.storage.statement({ limit: 100 });
    return transactions.flatMap(({ refunds }) =>
      refunds.map((one) => `${one.key} ${one.state} ${one.minor}`),
    );
  }

  async alarms(): Promise<string[]> {
    return this.storage
      .alarms(100)
      .map(({ kind, count }) => `${kind} ${count}`)
      .sort();
  }

  async states(): Promise<string[]> {
    const { transactions } = this.storage.statement({ limit: 100 });
    return transactions.map(({ key, state }) => `${key} ${state}`);
  }

  async balanced(): Promise<boolean> {
    return this.storage.statement({ limit: 1 }).balanced;
  }

  async close(): Promise<void> {
    this.storage.close();
    await this.sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
