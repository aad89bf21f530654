/** What recorder.c wrote down: everything that a process did to the files below one folder, in order. */
import { readFileSync } from "node:fs";

export type DiskOperation =
  | {
      readonly kind: "open";
      readonly opening: string;
      readonly path: string;
      readonly created: boolean;
      readonly truncated: boolean;
    }
  | { readonly kind: "close"; readonly opening: string }
  | { readonly kind: "write"; readonly opening: string; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly opening: string; readonly size: number }
  /** Room was allocated up to here; a file that is longer stays so. */
  | { readonly kind: "extend"; readonly opening: string; readonly size: number }
  | { readonly kind: "sync"; readonly opening: string; readonly metadata: boolean }
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  /** A second name of a file. */
  | { readonly kind: "link"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string }
  /** A shared mapping that can be written: what goes through it is not in the record. */
  | { readonly kind: "map"; readonly opening: string };

/** As in recorder.c, which counts from 1. */
const KINDS = [
  "open",
  "close",
  "write",
  "resize",
  "extend",
  "sync",
  "move",
  "remove",
  "map",
  "foreign",
  "link",
] as const;
const HEAD_BYTES = 40;
/** O_TRUNC of fcntl.h on Linux. */
const TRUNCATE_FLAG = 0o1000;

/**
 * Reads a record. Paths come out relative to `folder`, which is a real path; "" is the folder itself. `opening` names
 * a descriptor of a process. Throws on a record that is cut off and on calls that the record cannot vouch for.
 */
export function readRecord(file: string, folder: string): DiskOperation[] {
  const bytes = readFileSync(file);
  const operations: DiskOperation[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + HEAD_BYTES > bytes.length) throw new Error(`${file} ends in the middle of a record`);
    const kind = KINDS[bytes.readUInt32LE(at) - 1];
    const opening = `${bytes.readUInt32LE(at + 4)}:${bytes.readInt32LE(at + 8)}`;
    const flags = bytes.readUInt32LE(at + 12);
    const offset = Number(bytes.readBigUInt64LE(at + 16));
    const lengths = [
      bytes.readUInt32LE(at + 24),
      bytes.readUInt32LE(at + 28),
      Number(bytes.readBigUInt64LE(at + 32)),
    ];
    at += HEAD_BYTES;
    const [first, second, data] = lengths.map((length) => {
      const part = bytes.subarray(at, at + length);
      at += length;
      return part;
    });
    if (first === undefined || second === undefined || data === undefined || at > bytes.length)
      throw new Error(`${file} ends in the middle of a record`);
    const path = relativeTo(folder, first.toString());
    switch (kind) {
      case "open":
        operations.push({
          kind,
          opening,
          path,
          created: offset === 1,
          truncated: (flags & TRUNCATE_FLAG) !== 0,
        });
        break;
      case "close":
      case "map":
        operations.push({ kind, opening });
        break;
      case "write":
        operations.push({ kind, opening, offset, bytes: data });
        break;
      case "resize":
      case "extend":
        operations.push({ kind, opening, size: offset });
        break;
      case "sync":
        operations.push({ kind, opening, metadata: flags === 1 });
        break;
      case "move":
      case "link":
        operations.push({ kind, from: path, to: relativeTo(folder, second.toString()) });
        break;
      case "remove":
        operations.push({ kind, path });
        break;
      default:
        throw new Error(`the record cannot vouch for ${first.toString()} ${second.toString()}`);
    }
  }
  return operations;
}

function relativeTo(folder: string, path: string): string {
  if (path === folder) return "";
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
