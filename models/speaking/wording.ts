/** Texts that are spoken and written differently: numbers are words for the ear and digits for the eye. */

/** `spoken` goes to the voice, `caption` to the display. */
export type Phrase = { readonly spoken: string; readonly caption: string };

/** A stretch of a sentence that is spoken and written differently. */
export type Piece = string | Phrase;

/** A template tag that builds both texts at once: t`모두 ${amount}입니다.` */
export function t(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Phrase {
  return joined(
    texts.flatMap((text, index) => [text, pieces[index] ?? ""]),
    "",
  );
}

export function joined(pieces: readonly Piece[], between: string): Phrase {
  const spoken = pieces.map((piece) => (typeof piece === "string" ? piece : piece.spoken)).join(between);
  const caption = pieces.map((piece) => (typeof piece === "string" ? piece : piece.caption)).join(between);
  return { spoken, caption };
}
