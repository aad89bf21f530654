/**
 * The whole vocabulary of one menu in one language: its items and options with their synonyms and inflections, and the
 * function words. The parser segments text with it and the speech decoder restores words with it, so both know the
 * same words. Menu words win over function words that are written the same.
 */
import type { Language, Menu, Names } from "../../daemon/core/menu.ts";
import type { Abbreviation, FunctionWord, OptionSynonyms, Sense } from "./vocabulary.ts";
import { ENGLISH_OPTION_SYNONYMS, ENGLISH_WORDS } from "./vocabulary-en.ts";
import { KOREAN_ABBREVIATIONS, KOREAN_OPTION_SYNONYMS, KOREAN_WORDS } from "./vocabulary-ko.ts";

export type MenuSense =
  | { readonly kind: "item"; readonly itemId: string }
  | { readonly kind: "option"; readonly group: string; readonly value: string };

export type WordSense =
  | Sense
  | MenuSense
  /** One word for an item with options: 아아. */
  | {
      readonly kind: "dish";
      readonly itemId: string;
      readonly options: { readonly [group: string]: string };
    };

export type LexiconEntry = {
  /** As the menu or the vocabulary writes it; compare by `plain`. */
  readonly word: string;
  readonly sense: WordSense;
  /** The same word also names another item or value of the menu: it is understood, but with doubt. */
  readonly ambiguous: boolean;
  /** Too short or too doubtful to be taken for something that is only near it. */
  readonly exact?: boolean;
};

/**
 * The written shape that words are compared in: lower case, composed, without spaces, punctuation and Latin accents.
 * Korean recognisers give no reliable spaces, and "café" and "cafe" are one word at a counter.
 */
export function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

const HANGUL_FIRST = 0xac00;
const CODA_B = 17;

/** 따뜻한 -> 따뜻하게, 뜨거운 -> 뜨겁게, 작은 -> 작게, 큰 -> 크게: the adverb that a wish is said with. */
export function koreanAdverb(adjective: string): string | undefined {
  const head = adjective.slice(0, -1);
  const last = adjective.slice(-1);
  if (last === "한") return `${head}하게`;
  if (last === "큰") return `${head}크게`;
  if (head === "") return undefined;
  if (last === "은") return `${head}게`;
  if (last !== "운") return undefined;
  const before = head.charCodeAt(head.length - 1) - HANGUL_FIRST;
  if (before < 0 || before >= 11_172 || before % 28 !== 0) return undefined;
  return `${head.slice(0, -1)}${String.fromCharCode(HANGUL_FIRST + before + CODA_B)}게`;
}

function namesIn(names: Names, language: Language): readonly string[] {
  return names[language] ?? names.ko ?? names.en ?? names.zh ?? [];
}

/** Ways to say an item that its menu need not list: 카페라떼 is also 라떼, a latte also lattes. */
function itemForms(name: string, language: Language): readonly string[] {
  if (language === "ko") {
    const short = name.replace(/^(카페|까페)\s*/, "");
    return short !== name && plain(short).length >= 2 ? [name, short] : [name];
  }
  const bare = name.replace(/^(the|caff?[eè]|café)\s+/i, "");
  const forms = bare === name ? [name] : [name, bare];
  return forms.flatMap((form) => [form, ...plurals(form)]);
}

function plurals(name: string): readonly string[] {
  if (!/[a-z]$/i.test(name)) return [];
  if (/(s|x|ch|sh)$/i.test(name)) return [`${name}es`];
  if (/[^aeiou]y$/i.test(name)) return [`${name.slice(0, -1)}ies`];
  return [`${name}s`];
}

function optionForms(names: readonly string[], language: Language): readonly string[] {
  const synonyms = language === "ko" ? KOREAN_OPTION_SYNONYMS : ENGLISH_OPTION_SYNONYMS;
  const own = new Set(names.map(plain));
  const related = synonyms.filter((set: OptionSynonyms) => set.some((word) => own.has(plain(word)))).flat();
  const forms = [...names, ...related];
  if (language !== "ko") return forms;
  return [...forms, ...forms.map(koreanAdverb).filter((form) => form !== undefined)];
}

/**
 * Menu words come in the order of trust: names that the menu writes, then derived forms. A derived form never takes a
 * word that the menu gives to something else; two items that share a written name are both kept as ambiguous.
 */
function menuEntries(menu: Menu, language: Language): readonly LexiconEntry[] {
  const given: { word: string; sense: MenuSense }[] = [];
  const derived: { word: string; sense: MenuSense }[] = [];
  for (const item of menu.items) {
    const sense: MenuSense = { kind: "item", itemId: item.id };
    const names = namesIn(item.names, language);
    for (const word of names) given.push({ word, sense });
    for (const word of names.flatMap((name) => itemForms(name, language))) derived.push({ word, sense });
  }
  for (const group of menu.optionGroups) {
    for (const value of group.values) {
      const sense: MenuSense = { kind: "option", group: group.id, value: value.id };
      const names = namesIn(value.names, language);
      for (const word of names) given.push({ word, sense });
      for (const word of optionForms(names, language)) derived.push({ word, sense });
    }
  }
  const byWord = new Map<string, { word: string; senses: MenuSense[] }>();
  for (const { word, sense } of given) {
    const entry = byWord.get(plain(word));
    if (entry === undefined) byWord.set(plain(word), { word, senses: [sense] });
    else if (!entry.senses.some((known) => sameMeaning(known, sense))) entry.senses.push(sense);
  }
  for (const { word, sense } of derived) {
    if (!byWord.has(plain(word))) byWord.set(plain(word), { word, senses: [sense] });
  }
  byWord.delete("");
  return [...byWord.values()].flatMap(({ word, senses }) =>
    senses.map((sense) => ({ word, sense, ambiguous: senses.length > 1 })),
  );
}

function sameMeaning(a: MenuSense, b: MenuSense): boolean {
  if (a.kind === "item") return b.kind === "item" && a.itemId === b.itemId;
  return b.kind === "option" && a.group === b.group && a.value === b.value;
}

function abbreviationEntries(known: readonly LexiconEntry[]): readonly LexiconEntry[] {
  const senseOf = (word: string) => known.find((entry) => plain(entry.word) === plain(word))?.sense;
  return KOREAN_ABBREVIATIONS.flatMap(({ word, stands }: Abbreviation) => {
    const senses = stands.map(senseOf);
    const item = senses.find((sense) => sense?.kind === "item");
    const options = senses.filter((sense) => sense?.kind === "option");
    if (item === undefined || options.length !== senses.length - 1) return [];
    if (known.some((entry) => plain(entry.word) === word)) return [];
    const chosen = Object.fromEntries(options.map((option) => [option.group, option.value]));
    return [
      { word, sense: { kind: "dish", itemId: item.itemId, options: chosen } as const, ambiguous: false },
    ];
  });
}

/** The counters that this menu's items name, where the vocabulary does not have them. */
function counterWords(menu: Menu): readonly FunctionWord[] {
  return [...new Set(menu.items.map((item) => item.counter))].map((word) => ({
    word,
    sense: { kind: "counter" },
  }));
}

/** Near to an everyday number (스물), so that it must be on the menu to be believed. */
const NEAR_NUMBERS: ReadonlySet<string> = new Set(["스몰", "스몰사이즈"]);

/** Options that people know from other menus: understood as a wish where this menu does not have them. */
function wishes(synonyms: readonly OptionSynonyms[]): readonly FunctionWord[] {
  const known = synonyms.flat().filter((word) => !NEAR_NUMBERS.has(word));
  return known.map((word) => ({ word, sense: { kind: "wish" } }));
}

/** Every word of a menu in a language with its sense. Chinese has menu words only until its vocabulary is written. */
export function lexicon(menu: Menu, language: Language): readonly LexiconEntry[] {
  const fromMenu = menuEntries(menu, language);
  const short = language === "ko" ? abbreviationEntries(fromMenu) : [];
  const taken = new Set([...fromMenu, ...short].map((entry) => plain(entry.word)));
  const closed =
    language === "ko"
      ? [...KOREAN_WORDS, ...counterWords(menu), ...wishes(KOREAN_OPTION_SYNONYMS)]
      : language === "en"
        ? [...ENGLISH_WORDS, ...wishes(ENGLISH_OPTION_SYNONYMS)]
        : [];
  const seen = new Set<string>();
  const functionWords = closed.flatMap(({ word, sense }) => {
    const key = `${plain(word)}/${sense.kind}`;
    const other = sense.kind === "wish" && seen.has(plain(word));
    if (taken.has(plain(word)) || plain(word) === "" || seen.has(key) || other) return [];
    seen.add(key);
    seen.add(plain(word));
    return [{ word, sense, ambiguous: false }];
  });
  return [...fromMenu, ...short, ...functionWords];
}

/** Shorter parts of a name say too little. In characters of plain text. */
const LEAST_PART = { ko: 2, zh: 2, en: 4 } as const;

/** Words of a name ("복숭아", "아이스티"), and the noun that a Korean compound ends in (칼국수 of 바지락칼국수). */
function partsOf(name: string, language: Language): readonly string[] {
  const words = /\s/.test(name) ? name.split(/\s+/).map(plain) : [];
  if (language !== "ko") return words;
  const whole = [...plain(name)];
  return [...words, ...whole.slice(1).map((_, index) => whole.slice(index + 1).join(""))];
}

/**
 * Parts of names that only one item has: customers shorten names. They are understood as they are written and with doubt,
 * and are not part of the lexicon itself, since a decoder has its own price for them.
 */
export function nameParts(
  menu: Menu,
  language: Language,
  known: readonly LexiconEntry[],
): readonly LexiconEntry[] {
  const taken = new Set(known.map((entry) => plain(entry.word)));
  const owners = new Map<string, Set<string>>();
  for (const item of menu.items) {
    for (const part of namesIn(item.names, language).flatMap((name) => partsOf(name, language))) {
      if ([...part].length < LEAST_PART[language] || taken.has(part)) continue;
      owners.set(part, (owners.get(part) ?? new Set()).add(item.id));
    }
  }
  return [...owners].flatMap(([word, items]) => {
    const [itemId] = items;
    if (items.size !== 1 || itemId === undefined) return [];
    return [{ word, sense: { kind: "item", itemId }, ambiguous: true, exact: true } as const];
  });
}
