/**
 * What a seed decides before its world begins: how many terminals, workers and sales, which kinds of fault happen and
 * how often. A plan is plain data, so that a failing one can be made smaller step by step (shrink.ts) and printed.
 *
 * About half of all kinds are switched off in each seed ("swarm testing", Groce et al., ISSTA 2012): a world in which
 * everything fails all the time hides the mistakes that need a long quiet stretch before the one fault that hurts.
 */
import { Random } from "./random.ts";

/** Least and most probability of one kind, at each occasion that it has. */
export const FAULTS = {
  // The machine. One occasion is one step of the daemon or of a ledger worker.
  "daemon-crash": [0.0005, 0.02],
  "worker-crash": [0.0005, 0.02],
  upgrade: [0.01, 0.2],
  "second-daemon": [0.01, 0.2],
  "disk-full": [0.0005, 0.01],
  "write-failed": [0.0005, 0.01],
  "clock-jump": [0.02, 0.3],
  "clock-wrong": [0.2, 1],
  // Between terminal and ledger. One occasion is one message, or one quiet minute.
  "message-lost": [0.005, 0.2],
  "message-doubled": [0.005, 0.3],
  "message-late": [0.005, 0.3],
  "message-torn": [0.005, 0.1],
  "answer-forged": [0.005, 0.1],
  partition: [0.02, 0.4],
  "broker-restart": [0.01, 0.1],
  "session-taken": [0.01, 0.1],
  // The gateway and the bank behind it. One occasion is one call.
  "gateway-lost": [0.01, 0.2],
  "gateway-late": [0.01, 0.2],
  "gateway-slow": [0.02, 0.4],
  "gateway-pending": [0.01, 0.3],
  "gateway-declines": [0.02, 0.4],
  "gateway-garbage": [0.01, 0.2],
  "gateway-wrong-amount": [0.005, 0.1],
  "gateway-refuses-reversal": [0.05, 0.6],
  "gateway-notices": [0.1, 1],
  // The counter. One occasion is one tap, one receipt, one sentence, one turn.
  "card-torn-away": [0.02, 0.4],
  "card-copied": [0.01, 0.2],
  "card-left-lying": [0.02, 0.3],
  "card-tapped-twice": [0.02, 0.3],
  "card-unverified": [0.02, 0.3],
  "card-denied": [0.005, 0.05],
  "paper-out": [0.02, 0.3],
  "cover-open": [0.02, 0.3],
  "printer-dies": [0.01, 0.2],
  "printer-silent": [0.01, 0.2],
  "speech-fails": [0.02, 0.3],
  "model-hangs": [0.02, 0.3],
  "model-garbage": [0.02, 0.3],
  // People. One occasion is one sale.
  "mind-changed": [0.1, 0.6],
  "walked-away": [0.02, 0.3],
  refunded: [0.05, 0.6],
  "refunded-twice": [0.05, 0.4],
  voided: [0.02, 0.3],
  reprinted: [0.02, 0.3],
  "day-closed": [0.02, 0.2],
  dismissed: [0.005, 0.05],
  "menu-changed": [0.01, 0.1],
  // The journal in the wrong machine. One occasion is one start.
  "journal-copied": [0.003, 0.04],
  "backup-restored": [0.005, 0.06],
  "journal-lost": [0.003, 0.03],
} as const satisfies Record<string, readonly [number, number]>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

export type Plan = {
  readonly seed: number;
  readonly terminals: number;
  readonly workers: number;
  readonly salesPerTerminal: number;
  /** Every charge of such a gateway may be sent again under its key; the other kind charges again. */
  readonly gatewayIdempotent: boolean;
  /** A bank that checks nothing gives back whatever it is asked to. */
  readonly bankChecksRefunds: boolean;
  /** "kept": journals with every event, hashed and chained, as on a file; "newest": the same promises, ten times faster. */
  readonly history: "kept" | "newest";
  /** Part of the customers who order by touch, without waiting for sentences. */
  readonly touch: number;
  /** Kinds that are not named do not happen. */
  readonly rates: Readonly<Partial<Record<FaultKind, number>>>;
  /** What is left of a plan that was made smaller (shrink.ts): terminals ("t1"), sales ("t1#3") and faults
   * ("daemon-crash@t1#2") by name; null for all of them. */
  readonly onlyTerminals: readonly string[] | null;
  readonly onlySales: readonly string[] | null;
  readonly onlyFaults: readonly string[] | null;
};

export const MAXIMUM_TERMINALS = 20;
export const MAXIMUM_WORKERS = 3;

export function planOf(seed: number): Plan {
  const random = new Random(seed, "plan");
  // Mostly small: two terminals show most of what twenty do, in a tenth of the time.
  const terminals = random.spread(1, MAXIMUM_TERMINALS);
  const workers = random.whole(1, MAXIMUM_WORKERS);
  const salesPerTerminal = random.spread(4, 24);
  const calm = random.chance(0.05);
  const touch = random.pick([0.5, 0.8, 0.9, 1]);
  const gatewayIdempotent = random.chance(0.7);
  const bankChecksRefunds = random.chance(0.5);
  const history = random.chance(0.05) ? "kept" : "newest";
  const rates: Partial<Record<FaultKind, number>> = {};
  for (const kind of FAULT_KINDS) {
    const own = new Random(seed, `rate ${kind}`);
    const [least, most] = FAULTS[kind];
    const rate = least * (most / least) ** own.unit();
    if (!calm && own.chance(0.5)) rates[kind] = rate;
  }
  return {
    seed,
    terminals,
    workers,
    salesPerTerminal,
    gatewayIdempotent,
    bankChecksRefunds,
    history,
    touch,
    rates,
    onlyTerminals: null,
    onlySales: null,
    onlyFaults: null,
  };
}

/** A plan in which nothing fails, for scripts that let chosen things fail. */
export function calmPlan(seed: number, change: Partial<Plan> = {}): Plan {
  return { ...planOf(seed), rates: {}, ...change };
}

export function terminalsOf({ terminals, onlyTerminals }: Plan): string[] {
  const all = Array.from({ length: terminals }, (_, index) => `t${index + 1}`);
  return all.filter((terminal) => onlyTerminals?.includes(terminal) !== false);
}

/** What a plan changes of the one that its seed draws. */
export function changeOf(plan: Plan): Partial<Plan> {
  const drawn = planOf(plan.seed);
  const changed = Object.entries(plan).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(drawn[field as keyof Plan]),
  );
  return Object.fromEntries(changed);
}
