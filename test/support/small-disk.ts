/** A disk of a given size for a test: a tmpfs, which only root may mount. It can be filled and made read-only. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const BALLAST = "ballast";
const CHUNKS = [1_048_576, 65_536, 4_096];

/** Why none can be had here; null when one can. */
export function whyNoSmallDisk(): string | null {
  if (process.getuid?.() !== 0) return "only root may mount a small disk: run the tests as root to fill one";
  const probe = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], {
    encoding: "utf8",
  });
  return probe.status === 0 ? null : `no small disk can be mounted here: ${probe.stderr.trim()}`;
}

export class SmallDisk {
  readonly #folder: string;

  /** `folder` is made when it is mounted. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  mount(mebibytes: number): void {
    mkdirSync(this.#folder, { recursive: true });
    mount("-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", this.#folder);
  }

  /** No file may be open for writing. */
  makeReadOnly(): void {
    mount("-o", "remount,ro", this.#folder);
  }

  makeWritable(): void {
    mount("-o", "remount,rw", this.#folder);
  }

  /** To the last page. */
  fill(): void {
    const file = openSync(join(this.#folder, BALLAST), "a");
    try {
      for (const size of CHUNKS) writeUntilFull(file, Buffer.alloc(size, 1));
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(join(this.#folder, BALLAST));
  }

  unmount(): void {
    spawnSync("umount", ["--lazy", this.#folder]);
  }
}

function writeUntilFull(file: number, bytes: Uint8Array): void {
  try {
    while (writeSync(file, bytes) === bytes.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
