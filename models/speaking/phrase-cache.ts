/**
 * Sentences that were synthesised before: the recent ones in memory, all within a byte limit on disk, so that a restart
 * speaks at once. A file that does not verify is ignored and replaced; a disk that does not write only costs time.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sound } from "./sound.ts";

/** About six minutes of speech at 22,050 Hz. */
export const MAX_MEMORY_BYTES = 16 * 1024 * 1024;
export const MAX_DISK_BYTES = 64 * 1024 * 1024;
/** Listing stops here: a folder with more than this is not ours alone. */
const MAX_FILES = 20_000;

const SUFFIX = ".speech";
const MAGIC = "SAY1";
const DIGEST_BYTES = 32;
/** Magic, sample rate, sample count, SHA-256 of the samples. */
const HEADER_BYTES = 4 + 4 + 4 + DIGEST_BYTES;

export type CacheLimits = { readonly memoryBytes: number; readonly diskBytes: number };

export type PhraseCache = {
  get(key: string): Promise<Sound | null>;
  /** Resolves when the sentence is in memory and, where the disk allows, on disk. */
  put(key: string, sound: Sound): Promise<void>;
};

/** The name of a sentence: its text and everything else that changes its sound. */
export function cacheKey(fingerprint: string, sentence: string): string {
  return createHash("sha256")
    .update(JSON.stringify([fingerprint, sentence]))
    .digest("hex");
}

/** `directory` is made when it is missing; null keeps everything in memory. */
export async function openPhraseCache(
  directory: string | null,
  limits: CacheLimits = { memoryBytes: MAX_MEMORY_BYTES, diskBytes: MAX_DISK_BYTES },
): Promise<PhraseCache> {
  const memory = new Recent<Sound>(limits.memoryBytes);
  const disk = directory === null ? null : await openDisk(directory, limits.diskBytes);
  return {
    async get(key) {
      const known = memory.take(key);
      if (known !== undefined) return known;
      const stored = (await disk?.read(key)) ?? null;
      if (stored !== null) memory.put(key, stored, stored.pcm.byteLength);
      return stored;
    },
    async put(key, sound) {
      memory.put(key, sound, sound.pcm.byteLength);
      await disk?.write(key, sound);
    },
  };
}

/** Least recently used goes first when the limit is passed. */
class Recent<Value> {
  readonly #entries = new Map<string, { value: Value; bytes: number }>();
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  take(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Returns the keys that had to go. */
  put(key: string, value: Value, bytes: number): readonly string[] {
    this.delete(key);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    const gone: string[] = [];
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
      gone.push(oldest);
    }
    return gone;
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

type Disk = { read(key: string): Promise<Sound | null>; write(key: string, sound: Sound): Promise<void> };

async function openDisk(directory: string, limitBytes: number): Promise<Disk | null> {
  const files = new Recent<true>(limitBytes);
  try {
    await mkdir(directory, { recursive: true });
    for (const { key, bytes } of await listed(directory)) {
      await removeAll(directory, files.put(key, true, bytes));
    }
  } catch (error) {
    warn(directory, error);
    return null;
  }
  const pathOf = (key: string) => join(directory, `${key}${SUFFIX}`);
  return {
    async read(key) {
      const bytes = await readFile(pathOf(key)).catch(() => null);
      if (bytes === null) return null;
      const sound = decode(bytes);
      if (sound === null) {
        files.delete(key);
        return null;
      }
      files.take(key);
      // The order of use survives a restart in the files' times.
      const now = new Date();
      await utimes(pathOf(key), now, now).catch(() => {});
      return sound;
    },
    async write(key, sound) {
      const bytes = encode(sound);
      const draft = join(directory, `${key}.${randomUUID()}.draft`);
      try {
        await writeFile(draft, bytes);
        await rename(draft, pathOf(key));
        await removeAll(directory, files.put(key, true, bytes.length));
      } catch (error) {
        warn(directory, error);
        await rm(draft, { force: true }).catch(() => {});
      }
    },
  };
}

/** Cached files, least recently used first. Drafts of a process that died in the middle are removed. */
async function listed(directory: string): Promise<readonly { key: string; bytes: number }[]> {
  const names = (await readdir(directory)).slice(0, MAX_FILES);
  for (const name of names) if (name.endsWith(".draft")) await rm(join(directory, name), { force: true });
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith(SUFFIX))
      .map(async (name) => {
        const { size, mtimeMs } = await stat(join(directory, name));
        return { key: name.slice(0, -SUFFIX.length), bytes: size, mtimeMs };
      }),
  );
  return files.sort((a, b) => a.mtimeMs - b.mtimeMs);
}

async function removeAll(directory: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) await rm(join(directory, `${key}${SUFFIX}`), { force: true });
}

function warn(directory: string, error: unknown): void {
  process.emitWarning(
    `spoken phrases are not kept in ${directory}: ${error instanceof Error ? error.message : String(error)}`,
  );
}

export function encode({ pcm, sampleRate }: Sound): Buffer {
  const samples = Buffer.alloc(pcm.length * 2);
  for (const [index, sample] of pcm.entries()) samples.writeInt16LE(sample, index * 2);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32LE(sampleRate, 4);
  header.writeUInt32LE(pcm.length, 8);
  createHash("sha256").update(samples).digest().copy(header, 12);
  return Buffer.concat([header, samples]);
}

/** null for whatever is not a whole and unchanged file of this format. */
export function decode(bytes: Buffer): Sound | null {
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, 4) !== MAGIC) return null;
  const count = bytes.readUInt32LE(8);
  const samples = bytes.subarray(HEADER_BYTES);
  if (samples.length !== count * 2) return null;
  const digest = createHash("sha256").update(samples).digest();
  if (!digest.equals(bytes.subarray(12, HEADER_BYTES))) return null;
  const pcm = new Int16Array(count);
  for (let index = 0; index < count; index++) pcm[index] = samples.readInt16LE(index * 2);
  return { pcm, sampleRate: bytes.readUInt32LE(4) };
}
