/**
 * The folder of an acoustic model: model.onnx, tokens.json (labels, index 0 the blank) and model.json (what the model
 * expects, and the checksum of the weights). Weights that do not match their checksum are refused before any of them is
 * believed; tokens.json must have as many labels as the model gives scores, which the first run shows.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { Fault } from "../../daemon/core/fault.ts";
import { Alphabet } from "./alphabet.ts";
import { type Compression, SAMPLE_RATE } from "./log-mel.ts";

/** A plain name: a description must not point outside its folder. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const description = z.object({
  /** Name of the weights in the same folder, and their SHA-256 in lower-case hexadecimal. */
  file: z.string().regex(FILE_NAME),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  tokens: z.string().regex(FILE_NAME),
  sampleRate: z.literal(SAMPLE_RATE),
  /** Milliseconds that one output frame stands for. */
  frameStrideMs: z.number().positive(),
  silentOnset: z.enum(["omitted", "written"]),
  frontEnd: z.object({ floor: z.number(), shift: z.number(), scale: z.number().positive() }),
});

export type ModelFolder = {
  readonly weights: Uint8Array;
  readonly alphabet: Alphabet;
  readonly compression: Compression;
  readonly frameStrideMs: number;
};

async function read(directory: string, name: string): Promise<Buffer> {
  try {
    return await readFile(path.join(directory, name));
  } catch (cause) {
    throw new Fault("model.missing", `${path.join(directory, name)} cannot be read`, { cause });
  }
}

function damaged(directory: string, name: string, why: string): Fault {
  return new Fault("model.damaged", `${path.join(directory, name)} ${why}; install the model again`);
}

async function readChecked(directory: string, name: string, sha256: string): Promise<Buffer> {
  const content = await read(directory, name);
  if (createHash("sha256").update(content).digest("hex") === sha256) return content;
  throw damaged(directory, name, "does not match the checksum in model.json");
}

function parsed<T>(directory: string, name: string, content: Buffer, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(content.toString("utf8")));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? `is not as expected (${z.prettifyError(cause)})` : "is not JSON";
    throw damaged(directory, name, why);
  }
}

/** Rejects with Fault model.missing or model.damaged, naming the file. */
export async function readModelFolder(directory: string): Promise<ModelFolder> {
  const model = parsed(directory, "model.json", await read(directory, "model.json"), description);
  const weights = await readChecked(directory, model.file, model.sha256);
  const tokens = parsed(
    directory,
    model.tokens,
    await read(directory, model.tokens),
    z.array(z.string()).min(2),
  );
  return {
    weights,
    alphabet: new Alphabet(tokens, model.silentOnset),
    compression: model.frontEnd,
    frameStrideMs: model.frameStrideMs,
  };
}
