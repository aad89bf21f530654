/**
 * The other end of child.ts: what runs in a child process, whatever it hosts. Opens the one unit that the daemon names,
 * carries commands in and events out, says every second that it lives.
 *
 * Assumes that the process was forked with `serialization: "advanced"` and that its parent is the daemon: when the channel
 * closes, the daemon is gone and the process ends. A unit that throws anything but a Fault is a programmer error: it is
 * reported and the process ends with status 1, so that the supervisor starts a fresh one.
 */
import { type ChildReport, type ChildRequest, HEARTBEAT_INTERVAL_MS } from "../core/child-protocol.ts";
import { Fault } from "../core/fault.ts";

export type HostedUnit<Command> = {
  /** Resolves when the command is accepted; results arrive as events. Rejects with a Fault. */
  command(command: Command): Promise<void> | void;
  close(): Promise<void>;
  /** True when the process should be replaced by a fresh one at the next quiet moment. */
  isWornOut?(): boolean;
};

export type HostChannel<Event> = {
  emit(event: Event): void;
  /** Reports that were sent and that the daemon has not taken yet. */
  unread(): number;
};

/** Rejects with a Fault when there is no such unit, its settings are wrong or it does not open. */
export type OpenUnit<Command, Event> = (
  unit: string,
  settings: unknown,
  channel: HostChannel<Event>,
) => Promise<HostedUnit<Command>>;

/** A daemon that leaves this many reports unread is not coming back. */
const MAXIMUM_UNREAD_REPORTS = 10_000;
/** Time for the last report to reach the daemon before the process ends. */
const LAST_REPORT_LIMIT_MS = 200;
/** Time for the unit to let go of what it holds. */
const CLOSE_LIMIT_MS = 1_500;

/** Turns this process into the host of one unit; the daemon's first message says which. `crashed` tells of a crash. */
export function hostUnit<Command, Event>(
  open: OpenUnit<Command, Event>,
  crashed: (detail: string) => Event,
): void {
  new ChildHost(open, crashed).listen();
}

class ChildHost<Command, Event> {
  readonly #open: OpenUnit<Command, Event>;
  readonly #crashed: (detail: string) => Event;
  #unit: HostedUnit<Command> | null = null;
  #ending = false;
  #unread = 0;

  constructor(open: OpenUnit<Command, Event>, crashed: (detail: string) => Event) {
    this.#open = open;
    this.#crashed = crashed;
  }

  listen(): void {
    process.on("uncaughtException", (error) => this.#crash(error));
    process.on("unhandledRejection", (error) => this.#crash(error));
    process.on("message", (message) => this.#receive(message as ChildRequest<Command>));
    process.on("disconnect", () => void this.#end(0));
    process.on("SIGTERM", () => void this.#end(0));
    // Ctrl-C reaches the whole process group; the daemon decides in which order things end.
    process.on("SIGINT", () => {});
    setInterval(() => {
      this.#report({ kind: "heartbeat" });
      if (this.#unit?.isWornOut?.() === true) void this.#end(0);
    }, HEARTBEAT_INTERVAL_MS);
  }

  #receive(request: ChildRequest<Command>): void {
    switch (request.kind) {
      case "open":
        return void this.#openUnit(request.unit, request.settings);
      case "command":
        return void this.#carryOut(request.serial, request.command);
      case "close":
        return void this.#end(0);
    }
  }

  async #openUnit(name: string, settings: unknown): Promise<void> {
    const channel: HostChannel<Event> = {
      emit: (event) => this.#report({ kind: "event", event }),
      unread: () => this.#unread,
    };
    try {
      this.#unit = await this.#open(name, settings, channel);
      this.#report({ kind: "opened" });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#report({ kind: "open-failed", code: error.code, detail: error.detail }, () => process.exit(1));
    }
  }

  async #carryOut(serial: number, command: Command): Promise<void> {
    if (this.#unit === null) {
      return this.#report({ kind: "failed", serial, code: "process.exited", detail: "not open" });
    }
    try {
      await this.#unit.command(command);
      this.#report({ kind: "done", serial });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#report({ kind: "failed", serial, code: error.code, detail: error.detail });
    }
  }

  /** Releases the unit and ends the process, also when the unit does not let go. */
  async #end(status: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    setTimeout(() => process.exit(status), CLOSE_LIMIT_MS);
    await this.#unit?.close().catch((error: unknown) => process.stderr.write(`close: ${String(error)}\n`));
    process.exit(status);
  }

  #crash(error: unknown): void {
    const [detail, text] =
      error instanceof Error ? [error.message, error.stack ?? ""] : [String(error), String(error)];
    process.stderr.write(`${text}\n`);
    setTimeout(() => process.exit(1), LAST_REPORT_LIMIT_MS);
    this.#report({ kind: "event", event: this.#crashed(detail) }, () => process.exit(1));
  }

  #report(message: ChildReport<Event>, sent: () => void = () => {}): void {
    if (!process.connected || process.send === undefined) return sent();
    if (this.#unread >= MAXIMUM_UNREAD_REPORTS) process.exit(1);
    this.#unread++;
    process.send(message, undefined, undefined, () => {
      this.#unread--;
      sent();
    });
  }
}
