/**
 * Where a planted mistake can be put in (mutants.ts): each seam wraps one port of the real code. Nothing in production
 * knows of them, and a world without a mutant uses none.
 */
import type { CardProof, LedgerAnswer, LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { DeviceEffect, Journal } from "../../daemon/shell/interpreter.ts";
import type { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import type { GatewayWant, StorageWant } from "../../sync/ledger/procedure.ts";
import type { MemoryMedium } from "../../sync/store/memory-medium.ts";
import type { Outbox } from "../../sync/store/store.ts";
import type { Broker } from "../../sync/uplink/broker.ts";
import type { DownContent, RequestMessage } from "../../sync/wire.ts";

/** What a mutant may know of the run of the daemon that it spoils. */
export type Spoiled = {
  readonly machine: string;
  /** A random UUID that the seed decides. */
  readonly uuid: () => string;
  /** True once in so many times, decided by the seed. */
  readonly sometimes: (probability: number) => boolean;
  readonly after: (ms: number, work: () => void) => void;
  readonly now: () => number;
  /** The disk of the machine, null at the ledger. */
  readonly medium: MemoryMedium | null;
  readonly books: MemoryBooks;
  /** Makes the daemon believe that the ledger has answered. */
  readonly answer: (answer: LedgerAnswer) => void;
  /** The outbox row in bytes that go up, null when they are none. */
  readonly decode: (bytes: Uint8Array) => RequestMessage | null;
};

export type Seams = {
  readonly journal?: (journal: Journal, spoiled: Spoiled) => Journal;
  readonly perform?: (
    perform: (effect: DeviceEffect) => void,
    spoiled: Spoiled,
  ) => (effect: DeviceEffect) => void;
  readonly outbox?: (outbox: Outbox, spoiled: Spoiled) => Outbox;
  readonly broker?: (broker: Broker, spoiled: Spoiled) => Broker;
  readonly card?: (card: CardProof, spoiled: Spoiled, pan: string) => CardProof;
  /** How an answer is opened; `open` checks its seal. */
  readonly open?: (open: (bytes: Uint8Array) => DownContent) => (bytes: Uint8Array) => DownContent;
  /** What the reader says of the card's cryptogram. */
  readonly verified?: (verified: boolean) => boolean;
  /** The daemon was stopped for an upgrade and is about to be started again. */
  readonly upgraded?: (medium: MemoryMedium) => void;
  /** A request that came to the ledger. */
  readonly request?: (message: RequestMessage, spoiled: Spoiled) => RequestMessage;
  /** How the ledger's storage is asked. */
  readonly storage?: (
    meet: (want: StorageWant) => unknown,
    spoiled: Spoiled,
  ) => (want: StorageWant) => unknown;
  readonly gateway?: (
    call: (want: GatewayWant, answer: (result: unknown) => void) => void,
    spoiled: Spoiled,
  ) => (want: GatewayWant, answer: (result: unknown) => void) => void;
  /** What the ledger answers, just before it is signed. */
  readonly reply?: (outcome: LedgerOutcome, message: RequestMessage, spoiled: Spoiled) => LedgerOutcome;
  /** Called when a request has come, before it is worked on: a ledger that answers too early does it here. */
  readonly received?: (
    message: RequestMessage,
    answer: (outcome: LedgerOutcome) => void,
    spoiled: Spoiled,
  ) => void;
};
