/** Every gateway that the ledger knows: one line a folder. */
import { SANDBOX } from "./sandbox/sandbox.ts";

export const GATEWAYS = { sandbox: SANDBOX } as const;
