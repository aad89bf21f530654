/** A prompt as words: what is spoken (numbers in words) and the caption that the display shows (numbers in digits). */
import type { Language, Menu } from "../../daemon/core/menu.ts";
import type { Prompt } from "../../daemon/core/prompt.ts";
import { englishPhrase } from "./phrases-en.ts";
import { koreanPhrase } from "./phrases-ko.ts";
import type { Phrase } from "./wording.ts";

/** The words of a prompt. Chinese is spoken in English until its phrases are written. */
export function phrase(prompt: Prompt, menu: Menu, language: Language): Phrase {
  return language === "ko" ? koreanPhrase(prompt, menu) : englishPhrase(prompt, menu);
}
