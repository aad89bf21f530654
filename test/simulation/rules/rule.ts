/**
 * A rule: one sentence about money that must hold in every world, all the time. A rule watches what its world does
 * through the hooks of `Watch` and objects the moment that its sentence is broken.
 */
import type { LedgerOutcome, LedgerRequest } from "../../../daemon/core/clearing.ts";
import type { Prompt } from "../../../daemon/core/prompt.ts";
import type { Paper } from "../../../daemon/core/receipt.ts";
import type { TerminalState } from "../../../daemon/core/sale.ts";
import type { StaffAnswer } from "../../../daemon/core/staff.ts";
import type { StorageWant } from "../../../sync/ledger/procedure.ts";
import type { Movement } from "../bank.ts";
import type { Machine, SimCommit } from "../machine.ts";
import type { World } from "../world.ts";

export type Watch = {
  /** The daemon has opened its journal and knows again where it was. */
  readonly started?: (machine: Machine, state: TerminalState) => void;
  /** A transaction is on the disk of a machine. */
  readonly committed?: (machine: Machine, commit: SimCommit) => void;
  /** A sentence or a paper is asked for by the daemon. */
  readonly spoken?: (machine: Machine, prompt: Prompt) => void;
  readonly printed?: (machine: Machine, paper: Paper) => void;
  /** Paper has come out of a printer: all of it, or its beginning. */
  readonly emerged?: (machine: Machine, paper: Paper, whole: boolean) => void;
  readonly staffTold?: (machine: Machine, requestId: string, answer: StaffAnswer) => void;
  /** Bytes of a message in either direction. */
  readonly onWire?: (terminal: string, bytes: Uint8Array) => void;
  /** The ledger's storage has carried out an operation. */
  readonly stored?: (want: StorageWant, answer: unknown) => void;
  /** The ledger has answered a request. */
  readonly answered?: (terminal: string, request: LedgerRequest, outcome: LedgerOutcome) => void;
  /** The bank has moved money. */
  readonly moved?: (movement: Movement) => void;
  /** Everything has healed and come to rest. */
  readonly ended?: () => void;
};

export type Rule = {
  readonly name: string;
  readonly watch: (world: World, object: (detail: string) => void) => Watch;
};
