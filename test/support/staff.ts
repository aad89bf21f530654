/** The command line of staff as the program it is, and as a member of staff reads it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { COMPILED } from "./program.ts";

const PROGRAM = `${COMPILED}daemon/command-line/main.js`;

export type Said = {
  readonly status: number | null;
  /** Standard output and standard error, without the line end. */
  readonly out: string;
  readonly err: string;
};

/** Runs `saypay ARGS`; `env` is added to the environment, `input` is what is typed. */
export function saypay(
  args: readonly string[],
  options: { readonly env?: { readonly [name: string]: string }; readonly input?: string } = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...options.env } });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, out: out.trimEnd(), err: err.trimEnd() }));
    child.stdin.end(options.input ?? "");
  });
}

/** The command line of one counter. */
export function staffOf(counter: { readonly folder: string }): (...args: readonly string[]) => Promise<Said> {
  return (...args) => saypay([...args, "--config", join(counter.folder, "saypay.yaml")]);
}
