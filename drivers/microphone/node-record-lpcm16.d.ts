/** What this driver uses of node-record-lpcm16 1.0, which ships without types; read from its index.js. */
declare module "node-record-lpcm16" {
  import type { ChildProcess } from "node:child_process";
  import type { Readable } from "node:stream";

  export type RecordOptions = {
    readonly sampleRate?: number;
    readonly channels?: number;
    /** A file in the package's recorders folder, or an absolute path (it is resolved against that folder). */
    readonly recorder?: string;
    readonly audioType?: string;
    readonly device?: string | null;
  };

  export type Recording = {
    /** Undefined streams when the system is out of file descriptors. */
    readonly process: ChildProcess;
    /** Emits "error" with a string, not an Error. */
    stream(): Readable;
    /** Sends SIGTERM. */
    stop(): void;
  };

  /** Spawns at once; a program that does not exist is an "error" event of `process`. */
  const recorder: { record(options: RecordOptions): Recording };
  export default recorder;
}
