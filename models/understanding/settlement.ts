/**
 * Mentions among themselves: a correction takes the place of what it corrects ("두 잔 아니 세 잔"), and a quantity that is
 * meant for each item is given to each ("라떼랑 모카 두 잔씩"). What stays are mentions that can be carried out in order.
 */
import { hasOptions, type Mention } from "./mentions.ts";

export function settled(mentions: readonly Mention[]): readonly Mention[] {
  return spreadOptions(spreadQuantities(settleCorrections(mentions)));
}

/** 아메리카노 두 잔 아니 세 잔: the corrected mention takes the place of the one before it. */
function settleCorrections(mentions: readonly Mention[]): readonly Mention[] {
  const result: Mention[] = [];
  for (const mention of mentions) {
    // What names an item again corrects that item, else what was said last.
    const named = result.findLastIndex(
      (known) => mention.itemId !== undefined && known.itemId === mention.itemId,
    );
    const index = named < 0 ? result.length - 1 : named;
    const before = result[index];
    // 아메리카노 두 잔 라떼 세 잔, 아 라떼는 두 잔만요.
    const restates =
      named >= 0 && mention.topic === true && mention.quantity !== undefined && !hasOptions(mention);
    const corrects =
      (mention.corrects === true || restates) &&
      before !== undefined &&
      before.unwanted !== true &&
      before.verb !== "remove";
    if (!corrects || mention.also === true || mention.more === true) {
      result.push(corrects ? without(mention, "corrects") : { ...mention });
      continue;
    }
    const otherItem = mention.itemId !== undefined && mention.itemId !== before.itemId;
    const options =
      otherItem && before.itemId !== undefined ? mention.options : { ...before.options, ...mention.options };
    result[index] = {
      ...without(before, "target"),
      ...without(without(mention, "corrects"), "inherits"),
      ...(before.corrects === true ? { corrects: true } : {}),
      options,
    };
  }
  return result;
}

function without(mention: Mention, key: "corrects" | "inherits" | "target"): Mention {
  const copy = { ...mention };
  delete copy[key];
  return copy;
}

/** 아메리카노랑 라떼 두 잔씩: the quantity goes to every item before it that has none. */
function spreadQuantities(mentions: readonly Mention[]): readonly Mention[] {
  for (const [index, mention] of mentions.entries()) {
    if (mention.each !== true || mention.quantity === undefined) continue;
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const target = mentions[earlier];
      // "a latte" counts nothing yet when "two each" follows.
      if (target === undefined || (target.quantity ?? 1) !== 1 || target.verb !== mention.verb) break;
      target.quantity = mention.quantity;
    }
  }
  // 각각 두 잔 as a mention of its own has done its work.
  return mentions.filter(
    (mention) =>
      !(
        mention.each === true &&
        mention.inherits === true &&
        mention.itemId === undefined &&
        !hasOptions(mention)
      ),
  );
}

/** 전부 아이스로 아메리카노 두 잔 라떼 한 잔: options for all in front go to every item behind. */
function spreadOptions(mentions: readonly Mention[]): readonly Mention[] {
  const [first, ...rest] = mentions;
  if (first?.all !== true || first.itemId !== undefined || first.verb === "remove" || !hasOptions(first))
    return mentions;
  if (!rest.some((mention) => mention.itemId !== undefined)) return mentions;
  return rest.map((mention) => ({ ...mention, options: { ...first.options, ...mention.options } }));
}
