/**
 * A procedure: work of the ledger that touches the world, written as a generator that does nothing itself. It yields
 * what it wants next, one storage operation or one call to the gateway, as data, and is resumed with the answer or
 * with an error. Whoever drives it decides how and when each want is met: `perform` with promises in production,
 * `SteppedDesk` without any in the simulator, where a crash can fall between any two wants.
 *
 * Assumes that a storage operation is atomic: it has happened or it has not. A gateway call may have happened without
 * an answer.
 */
import type {
  AuthoriseResult,
  ChargeOrder,
  Order,
  Pending,
  QueryResult,
  RefundOrder,
  ReverseResult,
} from "./gateways/gateway.ts";
import type { LedgerStorage } from "./storage.ts";

/** The operations of the storage that a procedure may want. */
export type StorageOperation = Exclude<keyof LedgerStorage, "open" | "close">;

export type StorageWant<Name extends StorageOperation = StorageOperation> = {
  [Each in Name]: {
    readonly kind: "storage";
    readonly operation: Each;
    readonly given: Parameters<LedgerStorage[Each]>;
  };
}[Name];

type GatewayOrders = {
  authorise: ChargeOrder;
  query: Order;
  reverse: Order;
  refund: RefundOrder;
};

/** `pending` stands for no answer in time and for every failure of the call itself. */
export type GatewayAnswers = {
  authorise: AuthoriseResult;
  query: QueryResult;
  reverse: ReverseResult;
  refund: ReverseResult;
};

export type GatewayOperation = keyof GatewayOrders;

export type GatewayWant<Name extends GatewayOperation = GatewayOperation> = {
  [Each in Name]: {
    readonly kind: "gateway";
    readonly operation: Each;
    readonly order: GatewayOrders[Each];
  };
}[Name];

export type Want = StorageWant | GatewayWant;

export type Procedure<Result> = Generator<Want, Result, unknown>;

/** A procedure and the lane it has to run in: work in one lane is done one after the other, in the order it came. */
export type Job<Result> = { readonly lane: string; readonly procedure: Procedure<Result> };

type Stored<Name extends StorageOperation> = Awaited<ReturnType<LedgerStorage[Name]>>;

/** Wants one storage operation; gives what it answered. */
export function* stored<Name extends StorageOperation>(
  operation: Name,
  ...given: Parameters<LedgerStorage[Name]>
): Procedure<Stored<Name>> {
  // The answer's type is the driver's promise, kept in one place: `fromStorage`, `fromGateway`.
  return (yield { kind: "storage", operation, given } as StorageWant) as Stored<Name>;
}

/** Wants one call to the gateway; gives what it answered, or `pending`. */
export function* called<Name extends GatewayOperation>(
  operation: Name,
  order: GatewayOrders[Name],
): Procedure<GatewayAnswers[Name] | Pending> {
  return (yield { kind: "gateway", operation, order } as GatewayWant) as GatewayAnswers[Name] | Pending;
}

type Operations = {
  readonly [Name in StorageOperation]: (
    ...given: Parameters<LedgerStorage[Name]>
  ) => ReturnType<LedgerStorage[Name]>;
};

/** Carries out what a procedure wants of the storage. The answer is a promise when the storage gives one. */
export function fromStorage<Name extends StorageOperation>(
  storage: LedgerStorage,
  want: StorageWant<Name>,
): ReturnType<LedgerStorage[Name]> {
  const operations: Operations = storage;
  const operation: Name = want.operation;
  return operations[operation](...want.given);
}

/** Runs a procedure to its end; an error of a want is thrown into it where it waits. */
export async function perform<Result>(
  procedure: Procedure<Result>,
  meet: (want: Want) => Promise<unknown>,
): Promise<Result> {
  let step = procedure.next();
  while (step.done !== true) {
    let answer: unknown;
    try {
      answer = await meet(step.value);
    } catch (error) {
      step = procedure.throw(error);
      continue;
    }
    step = procedure.next(answer);
  }
  return step.value;
}
