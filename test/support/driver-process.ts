/** A driver in the process that production runs it in: supervised host, with what it reports collected. */
import { fileURLToPath } from "node:url";
import { SupervisedChild } from "../../daemon/shell/supervisor.ts";
import type { DriverKind, DriverTypes } from "../../drivers/driver.ts";
import { until } from "./processes.ts";
import { silentLog } from "./silent-log.ts";

/** The compiled entry, also for a caller that runs as TypeScript. */
const COMPILED = new URL(import.meta.url.endsWith(".ts") ? "../../dist/" : "../../", import.meta.url);
const HOST = fileURLToPath(new URL("drivers/host.js", COMPILED));

export type DriverProcess<Kind extends DriverKind> = {
  readonly child: SupervisedChild<DriverTypes[Kind]["command"], DriverTypes[Kind]["event"]>;
  /** Everything reported so far, oldest first. */
  readonly events: DriverTypes[Kind]["event"][];
  pid(): number;
  /** Resolves with the first event from `events[from]` on that fits. */
  next(
    fits: (event: DriverTypes[Kind]["event"]) => boolean,
    limitMs: number,
    from?: number,
  ): Promise<DriverTypes[Kind]["event"]>;
};

/** Not started yet: the caller starts `child` and stops it. */
export function driverProcess<Kind extends DriverKind>(
  unit: `${Kind}/${string}`,
  settings: unknown,
  env: { readonly [name: string]: string },
): DriverProcess<Kind> {
  type Event = DriverTypes[Kind]["event"];
  const child = new SupervisedChild<DriverTypes[Kind]["command"], Event>(
    { name: unit, entry: HOST, unit, settings, env },
    silentLog,
  );
  const events: Event[] = [];
  child.onEvent((event) => events.push(event));
  return {
    child,
    events,
    pid() {
      if (child.state.kind !== "running") throw new Error(`${unit} is ${child.state.kind}`);
      return child.state.pid;
    },
    async next(fits, limitMs, from = 0) {
      const find = () => events.slice(from).find(fits);
      await until(() => find() !== undefined, limitMs, `an event of ${unit} that fits ${fits.toString()}`);
      const found = find();
      if (found === undefined) throw new Error("unreachable");
      return found;
    },
  };
}
