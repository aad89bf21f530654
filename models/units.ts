/**
 * What a model host can open, by name. Each engine is imported only when it is opened, so that the speaking process never
 * loads the recogniser. Settings come from the daemon, which has checked them; only their shape is looked at here.
 */
import { z } from "zod";
import { Fault } from "../daemon/core/fault.ts";
import type { Menu } from "../daemon/core/menu.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "./model.ts";

export interface Unit {
  /** Resolves when the command is accepted; results arrive as events. Rejects with a Fault. */
  command(command: HearingCommand | SpeakingCommand): Promise<void> | void;
  close(): Promise<void>;
}

const menu = z.custom<Menu>(
  (value) => typeof value === "object" && value !== null && "items" in value,
  "a menu",
);
const MAX_THREADS = 16;

const hearingSettings = z.object({
  modelDirectory: z.string().min(1),
  language: z.enum(["ko", "en", "zh"]),
  menu,
  endpointing: z.enum(["aggressive", "default", "relaxed"]),
  threads: z.number().int().min(1).max(MAX_THREADS),
});

const speakingSettings = z.object({
  menu,
  rate: z.number(),
  volume: z.number(),
  cacheDirectory: z.string().nullable(),
});

function checked<T>(unit: string, schema: z.ZodType<T>, settings: unknown): T {
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map((issue) => `${issue.path.join(".") || unit}: ${issue.message}`);
  throw new Fault("settings.invalid", `${unit}: ${mistakes.join("; ")}`);
}

/** Rejects with a Fault when there is no such unit, its settings are wrong or its model does not open. */
export async function openUnit(
  name: string,
  settings: unknown,
  emit: (event: HearingEvent | SpeakingEvent) => void,
): Promise<Unit> {
  switch (name) {
    case "hearing": {
      const { openEar } = await import("./hearing/ear.ts");
      const ear = await openEar(checked(name, hearingSettings, settings), emit);
      return ear;
    }
    case "speaking": {
      const { openSpeaking } = await import("./speaking/speaking.ts");
      return openSpeaking(checked(name, speakingSettings, settings), emit);
    }
    default:
      throw new Fault("settings.invalid", `there is no model unit "${name}"; there are hearing and speaking`);
  }
}
