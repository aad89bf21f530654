/**
 * One reading of one card: SELECT, READ BINARY, verify. Knows nothing of PC/SC; it is given a function that sends one
 * APDU. That function throws when the card is gone or does not answer, and the caller knows which.
 */
import type { CardProblem } from "../../daemon/core/prompt.ts";
import {
  describeStatus,
  NDEF_FILE,
  NDEF_FILE_BYTES,
  parseResponse,
  type Response,
  readBinary,
  SUCCESS,
  selectFile,
  selectNdefApplication,
} from "./apdu.ts";
import type { CardKeys } from "./keys.ts";
import { parseSunFile } from "./ndef.ts";
import { cardFileReadKey, cardToken, decryptPiccData, verifySdmMac } from "./ntag424.ts";

export type Transmit = (apdu: Uint8Array) => Promise<Uint8Array>;

export type CardReading =
  | { readonly kind: "genuine"; readonly token: string; readonly masked: string; readonly counter: number }
  /** `detail` is for the log; it holds status words and lengths, nothing that identifies a card. */
  | { readonly kind: "refused"; readonly reason: CardProblem; readonly detail: string };

export type SunSettings = {
  readonly keys: CardKeys;
  /** Ends every diversification input; 2 to 17 bytes that tell two systems with the same master apart. */
  readonly systemIdentifier: Uint8Array;
  /** SDMMACInputOffset as an offset in the NDEF file; null when it equals SDMMACOffset (the MAC covers no file bytes). */
  readonly macInputOffset: number | null;
};

const NLEN_BYTES = 2;
/** A message of ours fits one piece of this length, and every ISO 14443-4 reader carries such a piece. */
const PIECE_BYTES = 128;

/** Reads and verifies. The counter is not judged here: whether it grew is a question about the past. */
export async function readCard(transmit: Transmit, settings: SunSettings): Promise<CardReading> {
  const file = await readNdefFile(transmit);
  return file instanceof Uint8Array ? verifySunFile(file, settings) : file;
}

type Refusal = Extract<CardReading, { kind: "refused" }>;

function refused(reason: CardProblem, detail: string): Refusal {
  return { kind: "refused", reason, detail };
}

async function readNdefFile(transmit: Transmit): Promise<Uint8Array | Refusal> {
  const send = async (apdu: Uint8Array, step: string): Promise<Response | Refusal> => {
    const response = parseResponse(await transmit(apdu));
    // vpcd and some readers "succeed" with nothing when the card leaves in the middle of a command.
    if (response === null) return refused("torn-away", `${step}: an answer without a status word`);
    return response.status === SUCCESS
      ? response
      : refused("wrong-card", `${step}: ${describeStatus(response.status)}`);
  };
  // The data sheet fixes the file's identifier and size (8.2.3), so the capability container need not be read first:
  // two commands less are two chances less to tear the card away.
  for (const [apdu, step] of [
    [selectNdefApplication(), "select the NDEF application"],
    [selectFile(NDEF_FILE), "select the NDEF file"],
  ] as const) {
    const answer = await send(apdu, step);
    if ("kind" in answer) return answer;
  }
  // Consecutive READ BINARY commands see one counter and one encryption, however the pieces fall (9.3.1, 9.3.4).
  let file: Uint8Array = new Uint8Array(0);
  let wanted = NLEN_BYTES;
  while (file.length < wanted) {
    const length = Math.min(PIECE_BYTES, NDEF_FILE_BYTES - file.length);
    const piece = await send(readBinary(file.length, length), "read the NDEF file");
    if ("kind" in piece) return piece;
    if (piece.data.length === 0) return refused("wrong-card", "the NDEF file ends early");
    file = Uint8Array.from([...file, ...piece.data]);
    if (file.length >= NLEN_BYTES) wanted = NLEN_BYTES + (((file[0] ?? 0) << 8) | (file[1] ?? 0));
    if (wanted > NDEF_FILE_BYTES) return refused("wrong-card", "the NDEF message is longer than its file");
  }
  return file;
}

/** Pure: judges a whole NDEF file. */
export function verifySunFile(file: Uint8Array, settings: SunSettings): CardReading {
  const message = parseSunFile(file);
  if (message === null) return refused("wrong-card", "the NDEF file carries no SUN message");
  const data = decryptPiccData(message.piccData, settings.keys.metaReadKey);
  if (data === null) return refused("wrong-card", "the PICC data was written under another key");
  const fileReadKey = cardFileReadKey(settings.keys.fileReadMaster, data.uid, settings.systemIdentifier);
  const input = file.subarray(settings.macInputOffset ?? message.macOffset, message.macOffset);
  if (!verifySdmMac(fileReadKey, data, input, message.mac)) return refused("unverified", "the MAC is wrong");
  return { kind: "genuine", ...cardToken(data.uid, settings.keys.tokenKey), counter: data.counter };
}
