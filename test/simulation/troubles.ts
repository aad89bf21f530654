/**
 * What goes wrong by itself, now and then: lines are cut, the broker restarts, sessions are taken, clocks jump, daemons
 * are upgraded, journals get into the wrong machine. Once a minute each place has an occasion for each.
 */
import type { SaleSettings } from "../../daemon/core/settings.ts";
import type { FaultPlace } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";
import { WrongJournals } from "./wrong-journals.ts";

const MINUTE_MS = 60_000;

export class Troubles {
  readonly #world: World;
  readonly #journals: WrongJournals;

  constructor(world: World) {
    this.#world = world;
    this.#journals = new WrongJournals(world);
  }

  begin(): void {
    const { faults, machines } = this.#world;
    for (const machine of machines) {
      const place = faults.at(`minute-${machine.name}`);
      this.#everyMinute(() => this.#atMachine(machine, place));
    }
    const broker = faults.at("broker");
    this.#everyMinute(() => {
      if (broker.strikes("broker-restart"))
        this.#world.network.restartBroker(broker.random("broker-restart").spread(500, 120_000));
    });
  }

  heal(): void {
    for (const machine of this.#world.machines) {
      machine.disk.free();
      machine.power.cutAt(Number.POSITIVE_INFINITY);
    }
  }

  /** What people still have to do before everything is at rest. */
  tidyUp(): void {
    this.#journals.tidyUp();
  }

  #atMachine(machine: Machine, place: FaultPlace): void {
    const { network } = this.#world;
    if (place.strikes("partition")) {
      const random = place.random("partition");
      network.partition(machine.terminal, random.spread(500, 1_200_000), random.spread(1_000, 60_000));
    }
    if (place.strikes("session-taken")) network.takeSession(machine.terminal);
    if (place.strikes("upgrade")) machine.restart();
    if (place.strikes("menu-changed")) {
      machine.settings = dearer(machine.settings);
      machine.restart();
    }
    machine.clock.jump();
    this.#journals.at(machine, place);
  }

  #everyMinute(work: () => void): void {
    const { scheduler } = this.#world;
    const again = (): void => {
      scheduler.after(MINUTE_MS, () => {
        if (this.#world.healed) return;
        work();
        again();
      });
    };
    again();
  }
}

/** New prices, which a daemon takes when it starts. */
function dearer(settings: SaleSettings): SaleSettings {
  const items = settings.menu.items.map((item) => ({ ...item, price: item.price + 500n }));
  return { ...settings, menu: { ...settings.menu, items } };
}
