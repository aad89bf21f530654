/** A ledger whose gateway is far away, so that it can die while a call is on its way there or back. */
import type { Gateway } from "../../sync/ledger/gateways/gateway.ts";
import { DeskWorld } from "./ledger-desk.ts";

/** One way to the gateway, and back. */
const TRANSIT_MS = 100;

/** The sandbox at the end of a slow line: a call takes effect after TRANSIT_MS and answers after as long again. */
export class SlowWorld extends DeskWorld {
  readonly calls: string[] = [];
  /** Added to the way to the gateway. */
  holdUpMs = 0;

  constructor() {
    const far: { world?: SlowWorld } = {};
    const delay = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        far.world?.clock.after(ms, resolve);
      });
    const slowly = async <Result>(name: string, call: (sandbox: DeskWorld["sandbox"]) => Promise<Result>) => {
      const { world } = far;
      if (world === undefined) throw new Error("not built");
      world.calls.push(name);
      await delay(TRANSIT_MS + world.holdUpMs);
      const result = await call(world.sandbox);
      await delay(TRANSIT_MS);
      return result;
    };
    const gateway: Gateway = {
      id: "sandbox",
      capabilities: {
        currencies: "all",
        minimumMinor: 1n,
        idempotentAuthorise: true,
        lateArrivalMs: 0,
        partialRefund: true,
      },
      open: async () => undefined,
      close: async () => undefined,
      authorise: (order, signal) => slowly("authorise", (sandbox) => sandbox.authorise(order, signal)),
      query: (order, signal) => slowly("query", (sandbox) => sandbox.query(order, signal)),
      reverse: (order, signal) => slowly("reverse", (sandbox) => sandbox.reverse(order, signal)),
      refund: (order, signal) => slowly("refund", (sandbox) => sandbox.refund(order, signal)),
    };
    super(gateway);
    far.world = this;
  }

  /**
   * Dies `ms` after the request was made and starts again at once: a call that is on its way to the gateway then
   * arrives after the new ledger's first question about it.
   */
  async killDuring(request: Parameters<DeskWorld["ask"]>[0], terminal: string, ms: number): Promise<void> {
    this.desk.handle(terminal, request).catch(() => undefined);
    await this.clock.advance(ms);
    await this.crash();
    await this.start();
  }

  async heal(): Promise<void> {
    for (let round = 0; round < 12 && (await this.resolve(60_000)) > 0; round += 1);
  }
}
