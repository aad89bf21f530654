/**
 * Which characters a Korean receipt printer has in its own memory, and how wide they print.
 *
 * A Korean ESC/POS printer knows ASCII (with the won sign in place of the backslash, after ESC R 13) and the two-byte
 * set KS X 1001 in EUC-KR form: 2,350 Hangul, 4,888 Hanja and symbols. iconv-lite's "euc-kr" is really Windows code
 * page 949, which adds 8,822 Hangul with trail bytes below A1; a printer takes such a pair for two strange bytes and
 * garbles the rest of the line, so pairs outside the standard's rows are refused here and drawn as dots instead.
 */
import iconv from "iconv-lite";

/** The won sign sits on 0x5C after ESC R 13 (Korea). */
const WON = 0x20a9;
const BACKSLASH = 0x5c;

/** The bytes that print this character, or undefined when the printer does not have it. */
export function printerBytes(character: string): readonly number[] | undefined {
  const code = character.codePointAt(0) ?? 0;
  if (code === WON) return [BACKSLASH];
  if (code === BACKSLASH) return undefined;
  if (code >= 0x20 && code <= 0x7e) return [code];
  if (code < 0xa0) return undefined;
  const [lead, trail, more] = iconv.encode(character, "euc-kr");
  if (lead === undefined || trail === undefined || more !== undefined) return undefined;
  return inStandardRows(lead, trail) ? [lead, trail] : undefined;
}

/**
 * Symbols are rows A1 to AC, Hangul B0 to C8, Hanja CA to FD. The euro, registered and postal signs (A2E6 to A2E8)
 * joined the standard in 1998 and 2002, after most printers' character memories were made.
 */
function inStandardRows(lead: number, trail: number): boolean {
  if (trail < 0xa1 || trail > 0xfe) return false;
  if (lead === 0xa2 && trail >= 0xe6 && trail <= 0xe8) return false;
  return (lead >= 0xa1 && lead <= 0xac) || (lead >= 0xb0 && lead <= 0xc8) || (lead >= 0xca && lead <= 0xfd);
}

/**
 * Columns that the character takes: what the printer has in two-byte form is always two wide (also Greek and ×);
 * the rest follows Unicode's East Asian Width (UAX 11): wide, fullwidth and emoji two, anything else one.
 */
export function columnsOf(character: string): 1 | 2 {
  const bytes = printerBytes(character);
  if (bytes !== undefined) return bytes.length === 1 ? 1 : 2;
  return WIDE.test(character) ? 2 : 1;
}

const WIDE =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\p{Extended_Pictographic}\u2e80-\u303e\u3200-\u4dbf\ua000-\ua4cf\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u;

/** Sum of the columns of all characters; the text must be printable (see {@link printable}). */
export function textColumns(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}

/**
 * Text as it can stand on paper: composed (a decomposed 각 is one character of the standard), white space as single
 * blanks, without control, formatting and unattached combining characters, which have no width of their own.
 */
export function printable(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\s\p{Zs}]+/gu, " ")
    .replace(/[\p{C}\p{M}\p{Zl}\p{Zp}]/gu, "")
    .trim();
}
