/** Does to another folder what a record says, with nothing in between: what the same writes and syncs cost alone. */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { DiskOperation } from "./record.ts";

export class Replay {
  readonly #folder: string;
  readonly #syncs: "as recorded" | "fdatasync";
  readonly #files = new Map<string, number>();

  /** `syncs`: by the calls that were recorded, or by fdatasync whatever was called. */
  constructor(folder: string, syncs: "as recorded" | "fdatasync") {
    this.#folder = folder;
    this.#syncs = syncs;
  }

  play(operations: readonly DiskOperation[]): void {
    for (const operation of operations) this.#make(operation);
  }

  /** Closes what the recorded program had not closed. */
  stop(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #make(operation: DiskOperation): void {
    switch (operation.kind) {
      case "open": {
        const { opening, path, created, truncated } = operation;
        const flags = path === "" ? "r" : created || truncated ? "w+" : "r+";
        this.#files.set(opening, openSync(join(this.#folder, path), flags));
        return;
      }
      case "close":
        closeSync(this.#file(operation.opening));
        this.#files.delete(operation.opening);
        return;
      case "write":
        writeSync(
          this.#file(operation.opening),
          operation.bytes,
          0,
          operation.bytes.length,
          operation.offset,
        );
        return;
      case "resize":
      case "extend":
        ftruncateSync(this.#file(operation.opening), operation.size);
        return;
      case "sync":
        if (operation.metadata && this.#syncs === "as recorded") fsyncSync(this.#file(operation.opening));
        else fdatasyncSync(this.#file(operation.opening));
        return;
      case "move":
        renameSync(join(this.#folder, operation.from), join(this.#folder, operation.to));
        return;
      case "link":
        linkSync(join(this.#folder, operation.from), join(this.#folder, operation.to));
        return;
      case "remove":
        rmSync(join(this.#folder, operation.path));
        return;
      case "map":
        return;
    }
  }

  #file(opening: string): number {
    const file = this.#files.get(opening);
    if (file === undefined) throw new Error(`the record uses ${opening} before it is opened`);
    return file;
  }
}
