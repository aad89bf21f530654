/** A prompt as words: what is spoken (numbers in words) and the caption that the display shows (numbers in digits). */
import type { Language, Menu } from "../../daemon/core/menu.ts";
import type { Prompt } from "../../daemon/core/prompt.ts";
import { englishPhrase } from "./phrases-en.ts";
import { koreanPhrase } from "./phrases-ko.ts";

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

/** The words of a prompt. Chinese is spoken in English until its phrases are written. */
export function phrase(prompt: Prompt, menu: Menu, language: Language): Phrase {
  return language === "ko" ? koreanPhrase(prompt, menu) : englishPhrase(prompt, menu);
}
