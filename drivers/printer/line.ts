/**
 * The two kinds of device file that a printer stands behind, as one duplex line of bytes.
 *
 * "serial": anything that behaves like a terminal (USB serial converter, a printer's own virtual COM port, UART,
 * pseudo-terminal), through the serialport package. "file": the kernel's USB printer class device /dev/usb/lp0, which has
 * no line settings and is read and written as it is. Neither waits for the operating system to drain its buffer
 * (tcdrain can block a thread for good when the printer holds its flow control): the printer's own answer to the end
 * marker proves more.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { SerialPort } from "serialport";
import { Fault } from "../../daemon/core/fault.ts";

export type LineSettings = {
  readonly path: string;
  /** "auto": a file for /dev/usb/lp*, else serial. */
  readonly line: "auto" | "serial" | "file";
  readonly baudRate: number;
  readonly flowControl: "none" | "rts-cts" | "xon-xoff";
};

export type Line = {
  /** Resolves when the operating system took all of it; rejects when the device is gone. Never times out by itself. */
  write(bytes: Buffer): Promise<void>;
  /** Idempotent. What the device has not taken yet is thrown away, or closing would wait for it. */
  close(): Promise<void>;
};

export type LineListener = {
  onBytes(bytes: Uint8Array): void;
  /** The device went away by itself. May come more than once. */
  onLost(): void;
};

/** How often a device file is looked at: while something is going on, and otherwise. */
const BUSY_POLL_MS = 5;
const IDLE_POLL_MS = 500;
const BUSY_FOR_MS = 2_000;
const READ_BYTES = 256;

/** Rejects with Fault `printer.offline` when the path cannot be opened. */
export async function openLine(settings: LineSettings, listener: LineListener): Promise<Line> {
  const { path, line } = settings;
  const file = line === "file" || (line === "auto" && path.startsWith("/dev/usb/lp"));
  try {
    return file ? await openFile(path, listener) : await openSerial(settings, listener);
  } catch (cause) {
    const advice = "is it plugged in, and may this user open it (group dialout or lp)?";
    throw new Fault("printer.offline", `cannot open ${path}; ${advice}`, { cause });
  }
}

async function openSerial(settings: LineSettings, listener: LineListener): Promise<Line> {
  const { path, baudRate, flowControl } = settings;
  const software = flowControl === "xon-xoff";
  const rtscts = flowControl === "rts-cts";
  const port = new SerialPort({ path, baudRate, autoOpen: false, rtscts, xon: software, xoff: software });
  port.on("data", (bytes: Buffer) => listener.onBytes(bytes));
  port.on("close", () => listener.onLost());
  port.on("error", () => listener.onLost());
  await settled((done) => port.open(done));
  return {
    write: (bytes) => settled((done) => port.write(bytes, done)),
    async close() {
      if (port.isOpen) await settled((done) => port.flush(done)).catch(() => undefined);
      if (port.isOpen) await settled((done) => port.close(done)).catch(() => undefined);
    },
  };
}

function settled(start: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

async function openFile(path: string, listener: LineListener): Promise<Line> {
  const handle = await open(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  return new FileLine(handle, listener);
}

/** Without blocking and without readiness events, which libuv does not have for such devices: it looks again and again. */
class FileLine implements Line {
  readonly #handle: FileHandle;
  readonly #listener: LineListener;
  #closed = false;
  #activeMs = performance.now();
  #wake: () => void = () => undefined;
  readonly #reading: Promise<void>;

  constructor(handle: FileHandle, listener: LineListener) {
    this.#handle = handle;
    this.#listener = listener;
    this.#reading = this.#read();
  }

  async write(bytes: Buffer): Promise<void> {
    for (let sent = 0; sent < bytes.length; ) {
      if (this.#closed) throw new Error("the line is closed");
      this.#activeMs = performance.now();
      this.#wake();
      const count = await unlessBusy(this.#handle.write(bytes, sent, bytes.length - sent, null));
      sent += count?.bytesWritten ?? 0;
      if (count === undefined) await this.#pause(BUSY_POLL_MS);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    await this.#reading;
    await this.#handle.close();
  }

  async #read(): Promise<void> {
    const buffer = Buffer.alloc(READ_BYTES);
    while (!this.#closed) {
      try {
        const count = await unlessBusy(this.#handle.read(buffer, 0, READ_BYTES, null));
        if (count !== undefined && count.bytesRead > 0) {
          this.#activeMs = performance.now();
          this.#listener.onBytes(Uint8Array.from(buffer.subarray(0, count.bytesRead)));
          continue;
        }
      } catch {
        this.#listener.onLost();
        return;
      }
      const busy = performance.now() - this.#activeMs < BUSY_FOR_MS;
      await this.#pause(busy ? BUSY_POLL_MS : IDLE_POLL_MS);
    }
  }

  /** A write, which asks for an answer, ends the reader's long pause. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (ms < IDLE_POLL_MS) return;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Undefined for EAGAIN: the device has nothing to give, or no room. */
async function unlessBusy<T>(attempt: Promise<T>): Promise<T | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
    throw error;
  }
}
