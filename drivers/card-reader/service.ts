/**
 * The connection to the PC/SC service, opened again whenever it is lost. The binding must not be asked while the
 * service is away: its constructor then spins for ever and stops the process's event loop. So the service's socket is
 * tried first, and the binding is made only after the service answered there.
 */
import { createConnection } from "node:net";
import type { NFC, Reader } from "nfc-pcsc";
import { Fault } from "../../daemon/core/fault.ts";

export const SYSTEM_SOCKET = "/run/pcscd/pcscd.comm";

export type ServiceListener = {
  connected(): void;
  reader(reader: Reader): void;
  lost(detail: string): void;
};

const PROBE_TIMEOUT_MS = 1_000;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 5_000;

export class PcscService {
  readonly #socket: string;
  readonly #listener: ServiceListener;
  #nfc: NFC | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `socket` null: what libpcsclite would take, PCSCLITE_CSOCK_NAME or the system's. */
  constructor(socket: string | null, listener: ServiceListener) {
    this.#socket = socket ?? process.env["PCSCLITE_CSOCK_NAME"] ?? SYSTEM_SOCKET;
    this.#listener = listener;
  }

  /** Rejects with a Fault "card.service-down" when the service is not there now; after that it is tried for ever. */
  async start(): Promise<void> {
    await this.#connect();
  }

  close(): void {
    this.#closed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#release();
  }

  /** The service or its connection is broken; what hangs on it is told, and a new connection is tried for. */
  lose(detail: string): void {
    if (this.#nfc === null) return;
    this.#release();
    this.#listener.lost(detail);
    this.#retry(RETRY_FIRST_MS);
  }

  async #connect(): Promise<void> {
    const { NFC } = await loadBinding();
    await probe(this.#socket);
    if (this.#closed) return;
    // libpcsclite reads the variable at each connection; it has no other way to be told.
    process.env["PCSCLITE_CSOCK_NAME"] = this.#socket;
    let nfc: NFC;
    try {
      nfc = new NFC();
    } catch (cause) {
      throw new Fault("card.service-down", `the service at ${this.#socket} refuses clients`, { cause });
    }
    this.#nfc = nfc;
    nfc.on("reader", (reader: Reader) => {
      if (this.#nfc === nfc) this.#listener.reader(reader);
    });
    nfc.on("error", (error: Error) => {
      if (this.#nfc === nfc) this.lose(error.message);
    });
    this.#listener.connected();
  }

  #retry(delayMs: number): void {
    if (this.#closed) return;
    this.#retryTimer = setTimeout(() => {
      this.#connect().catch(() => this.#retry(Math.min(delayMs * 2, RETRY_MAX_MS)));
    }, delayMs);
  }

  #release(): void {
    const nfc = this.#nfc;
    this.#nfc = null;
    nfc?.close();
  }
}

async function loadBinding(): Promise<typeof import("nfc-pcsc")> {
  try {
    const module = await import("nfc-pcsc");
    // A CommonJS package: depending on how Node reads it, its names are on the module or on its default.
    return "NFC" in module ? module : (module as { readonly default: typeof import("nfc-pcsc") }).default;
  } catch (cause) {
    throw new Fault("card.service-down", "the PC/SC library is not installed (Debian: libpcsclite1)", {
      cause,
    });
  }
}

/** Resolves when somebody listens on the socket. */
function probe(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path });
    const fail = (cause: unknown): void => {
      connection.destroy();
      const way = "is pcscd installed and running? (systemctl status pcscd.socket)";
      reject(new Fault("card.service-down", `nobody answers at ${path}; ${way}`, { cause }));
    };
    connection.setTimeout(PROBE_TIMEOUT_MS, () => fail(new Error("time-out")));
    connection.once("error", fail);
    connection.once("connect", () => {
      connection.destroy();
      resolve();
    });
  });
}
