/**
 * Labels that sound alike: what the recogniser writes for a word it has never seen may differ from the spelling.
 *
 * Korean spelling keeps the shape of a word and speech does not: a coda moves to the next syllable before a vowel
 * (음악 is said 으막), codas neutralise (옷, 옫), ㅐ and ㅔ have merged, lax, tense and aspirated onsets are near
 * (Standard Korean Pronunciation, articles 8 to 30). A label may therefore be read off a frame of its neighbour at a
 * price in nats. English pairs are spellings of one sound.
 */
import type { Alphabet } from "./alphabet.ts";

type Pair = { readonly from: string; readonly to: string; readonly cost: number };

const ONSET_OF_CODA: Readonly<Record<string, string>> = {
  ᆨ: "ᄀ",
  ᆩ: "ᄁ",
  ᆫ: "ᄂ",
  ᆮ: "ᄃ",
  ᆯ: "ᄅ",
  ᆷ: "ᄆ",
  ᆸ: "ᄇ",
  ᆺ: "ᄉ",
  ᆻ: "ᄊ",
  ᆽ: "ᄌ",
  ᆾ: "ᄎ",
  ᆿ: "ᄏ",
  ᇀ: "ᄐ",
  ᇁ: "ᄑ",
  ᇂ: "ᄒ",
};

/** Groups whose members may stand for each other, with the price. */
const KOREAN_GROUPS: readonly (readonly [number, string])[] = [
  [0.5, "ᅢᅦ"],
  [0.7, "ᅤᅨ"],
  [0.5, "ᅫᅬᅰ"],
  [1.5, "ᅦᅨ"],
  [2, "ᅴᅵ"],
  [2.5, "ᅴᅳ"],
  [2.5, "ᅩᅥ"],
  [2.5, "ᅥᅳ"],
  [2.5, "ᅮᅳ"],
  [2.5, "ᅩᅮ"],
  [2.5, "ᅪᅡ"],
  [2.5, "ᅯᅥ"],
  [2.5, "ᅣᅡ"],
  [2.5, "ᅧᅥ"],
  [2.5, "ᅢᅡ"],
  [2.5, "ᅬᅩ"],
  [2.5, "ᅱᅵ"],
  [2, "ᄀᄁᄏ"],
  [2, "ᄃᄄᄐ"],
  [2, "ᄇᄈᄑ"],
  [2, "ᄌᄍᄎ"],
  [2, "ᄉᄊ"],
  [3, "ᄂᄅ"],
  [3, "ᄌᄃ"],
  [1.5, "ᆨᆩᆿᆪᆰ"],
  [1.5, "ᆮᆺᆻᆽᆾᇀᇂ"],
  [1.5, "ᆸᇁᆹᆲ"],
  [1.5, "ᆫᆬᆭ"],
  [1.5, "ᆯᆴᆶᆳ"],
  [1.5, "ᆷᆱ"],
  [2, "ᆯᆰᆱᆲ"],
  [2.5, "ᆫᆼᆷ"],
  [2.5, "ᆨᆼ"],
  [2.5, "ᆸᆷ"],
  [2.5, "ᆮᆫ"],
  [2.5, "ᆫᆯ"],
  [2.5, "ᆨᆸᆮ"],
];

const ENGLISH_GROUPS: readonly (readonly [number, string])[] = [
  [1.5, "ck"],
  [2, "cs"],
  [1.5, "sz"],
  [1.5, "iy"],
  [2, "ie"],
  [2, "ae"],
  [2, "ao"],
  [2, "ou"],
  [2, "eu"],
  [2, "kq"],
  [2, "gj"],
  [2, "fv"],
  [2.5, "dt"],
  [2.5, "bp"],
  [2.5, "mn"],
  [2.5, "lr"],
  [2, "uw"],
  [2.5, "ai"],
  [2.5, "ei"],
];

const LIAISON_COST = 1;

function pairs(): readonly Pair[] {
  const liaison = Object.entries(ONSET_OF_CODA).flatMap(([coda, onset]) => [
    { from: coda, to: onset, cost: LIAISON_COST },
    { from: onset, to: coda, cost: LIAISON_COST },
  ]);
  const grouped = [...KOREAN_GROUPS, ...ENGLISH_GROUPS].flatMap(([cost, members]) =>
    [...members].flatMap((from) =>
      [...members].filter((to) => to !== from).map((to) => ({ from, to, cost })),
    ),
  );
  return [...liaison, ...grouped];
}

/** For every label its neighbours and their prices: neighbour i of label l is at offset[l] + i. */
export type SimilarSounds = {
  readonly offset: Int32Array;
  readonly label: Int32Array;
  readonly cost: Float32Array;
};

export function similarSounds(alphabet: Alphabet): SimilarSounds {
  const known = pairs().flatMap(({ from, to, cost }) => {
    const [a, b] = [alphabet.indexOf(from), alphabet.indexOf(to)];
    return a === undefined || b === undefined ? [] : [{ a, b, cost }];
  });
  const sorted = known.toSorted((x, y) => x.a - y.a || x.b - y.b || x.cost - y.cost);
  const offset = new Int32Array(alphabet.size + 1);
  for (const { a } of sorted) offset[a + 1] = (offset[a + 1] as number) + 1;
  for (let label = 0; label < alphabet.size; label += 1)
    offset[label + 1] = (offset[label + 1] as number) + (offset[label] as number);
  return {
    offset,
    label: Int32Array.from(sorted, ({ b }) => b),
    cost: Float32Array.from(sorted, ({ cost }) => cost),
  };
}
