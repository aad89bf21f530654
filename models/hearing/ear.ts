/** The whole ear as the daemon and `hear` use it: hearing with understanding behind it, so one message carries a turn. */
import type { HearingEvent, HearingSettings } from "../model.ts";
import { compileMenu, understand } from "../understanding/parser.ts";
import { Hearing, type Understand } from "./hearing.ts";

/**
 * Loads models and menu. Rejects with a Fault when a model file is missing or damaged.
 *
 * A turn is as sure as its words were heard and as they were understood, the one times the other. Speech that the
 * acoustic model cannot follow falls under the core's threshold that way, however well its accidental words would read.
 */
export async function openEar(
  settings: HearingSettings,
  emit: (event: HearingEvent) => void,
): Promise<Hearing> {
  const { menu, language } = settings;
  const compiled = compileMenu(menu, language);
  const read: Understand = (hypotheses, context) => {
    const best = hypotheses[0];
    if (best === undefined) return null;
    const understood = understand({ text: best.text, alternatives: hypotheses }, compiled, context, language);
    return understood && { intent: understood.intent, confidence: understood.confidence * best.confidence };
  };
  const hearing = new Hearing(settings, read, emit);
  await hearing.open();
  if (hearing.unspoken.length > 0) {
    process.stderr.write(`words of the menu that cannot be heard: ${hearing.unspoken.join(", ")}\n`);
  }
  return hearing;
}
