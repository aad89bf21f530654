/**
 * The speaking unit: prompts in, sound out. A prompt becomes words (phrase.ts), the words sentences; sentences come from
 * the cache or are synthesised side by side, and the sound starts with speech and not with silence.
 */
import { Fault } from "../../daemon/core/fault.ts";
import type { Language } from "../../daemon/core/menu.ts";
import type { Prompt } from "../../daemon/core/prompt.ts";
import type { SpeakingCommand, SpeakingEvent, SpeakingSettings } from "../model.ts";
import { openEspeak, type SpeechEngine } from "./espeak.ts";
import { phrase } from "./phrase.ts";
import { cacheKey, openPhraseCache, type PhraseCache } from "./phrase-cache.ts";
import { concatenated, type Sound, sentencesOf, trimmed } from "./sound.ts";

export interface Speaking {
  /** Resolves when the command is carried out: the speech, or why there is none, was emitted. Does not reject. */
  command(command: SpeakingCommand): Promise<void>;
  close(): Promise<void>;
}

type Spoken = { readonly sound: Sound; readonly cached: boolean };

/**
 * Opens the voice. Rejects with a Fault (audio.program-missing) when the engine is not there. `engine` is espeak-ng
 * unless another is given.
 */
export async function openSpeaking(
  settings: SpeakingSettings,
  emit: (event: SpeakingEvent) => void,
  engine?: SpeechEngine,
): Promise<Speaking> {
  const voice = engine ?? (await openEspeak({ rate: settings.rate, volume: settings.volume }));
  const cache = await openPhraseCache(settings.cacheDirectory);
  const speak = speaker(voice, cache);

  async function say(id: string, prompt: Prompt, language: Language): Promise<void> {
    const start = performance.now();
    const { spoken, caption } = phrase(prompt, settings.menu, language);
    try {
      const { sound, cached } = await speak(spoken, language);
      const synthesisMs = performance.now() - start;
      emit({
        kind: "speech",
        id,
        text: caption,
        pcm: sound.pcm,
        sampleRate: sound.sampleRate,
        synthesisMs,
        cached,
      });
    } catch (error) {
      const fault =
        error instanceof Fault ? error : new Fault("model.failed", String(error), { cause: error });
      emit({ kind: "speech-failed", id, text: caption, code: fault.code, detail: fault.detail });
    }
  }

  return {
    async command(command) {
      if (command.kind === "say") return say(command.id, command.prompt, command.language);
      const { spoken } = phrase(command.prompt, settings.menu, command.language);
      // A preparation that fails costs nothing: saying it will report why.
      await speak(spoken, command.language).catch(() => {});
    },
    async close() {
      voice.close();
    },
  };
}

/** A function that speaks a text. Equal sentences that are wanted at the same time are synthesised once. */
function speaker(
  engine: SpeechEngine,
  cache: PhraseCache,
): (text: string, language: Language) => Promise<Spoken> {
  const underWay = new Map<string, Promise<Spoken>>();

  async function make(key: string, sentence: string, language: Language): Promise<Spoken> {
    const known = await cache.get(key);
    if (known !== null) return { sound: known, cached: true };
    const sound = trimmed(await engine.synthesise(sentence, language));
    // The disk must not delay the reply; the cache reports its own troubles.
    void cache.put(key, sound);
    return { sound, cached: false };
  }

  return async (text, language) => {
    const fingerprint = engine.fingerprint(language);
    const parts = await Promise.all(
      sentencesOf(text).map((sentence) => {
        const key = cacheKey(fingerprint, sentence);
        const running =
          underWay.get(key) ?? make(key, sentence, language).finally(() => underWay.delete(key));
        underWay.set(key, running);
        return running;
      }),
    );
    return {
      sound: concatenated(parts.map((part) => part.sound)),
      cached: parts.every((part) => part.cached),
    };
  };
}
