/** The whole ear as the daemon and `hear` use it: hearing with understanding behind it, so one message carries a turn. */
import type { HearingEvent, HearingSettings } from "../model.ts";
import { compileMenu, understand } from "../understanding/parser.ts";
import { Hearing, type Understand } from "./hearing.ts";

/** Loads models and menu. Rejects with a Fault when a model file is missing or damaged. */
export async function openEar(
  settings: HearingSettings,
  emit: (event: HearingEvent) => void,
): Promise<Hearing> {
  const { menu, language } = settings;
  const compiled = compileMenu(menu, language);
  const read: Understand = (hypotheses, context) => {
    const best = hypotheses[0];
    if (best === undefined) return null;
    const { text, confidence } = best;
    return understand({ text, confidence, alternatives: hypotheses }, compiled, context, language);
  };
  const hearing = new Hearing(settings, read, emit);
  await hearing.open();
  return hearing;
}
