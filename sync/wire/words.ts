/**
 * Closed sets of words as numbers. A word keeps its number for good, new ones are appended, and the compiler refuses a
 * word of the core that is missing. A number that is not known refuses the message.
 */
import { type CborReader, malformed } from "./cbor.ts";

/** A closed set of words and their numbers. */
export type Words<Word extends string> = {
  readonly numbers: Readonly<Record<Word, number>>;
  readonly words: ReadonlyMap<number, Word>;
};

export function wordsOf<Word extends string>(numbers: Readonly<Record<Word, number>>): Words<Word> {
  const words = new Map<number, Word>();
  for (const word in numbers) words.set(numbers[word], word);
  return { numbers, words };
}

export function readWord<Word extends string>(reader: CborReader, words: Words<Word>, what: string): Word {
  const number = reader.uint(what);
  const word = words.words.get(number);
  if (word === undefined) throw malformed(`${what} ${number} is not known`);
  return word;
}
