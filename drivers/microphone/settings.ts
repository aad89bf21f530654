/** The settings of the driver "microphone/alsa": one schema gives type, defaults, checks and the settings page. */
import { z } from "zod";

export const microphoneSettings = z.strictObject({
  /** ALSA device by name, so that it survives being plugged again: "plughw:CARD=Device", "default". `arecord -L` lists them. */
  device: z.string().min(1).default("default"),
  /** Exact zeros for this long are reported as a fault (a muted microphone). 0: never, for sources without noise. */
  silenceFaultAfterS: z.number().int().min(0).max(86_400).default(60),
});

export type MicrophoneSettings = z.infer<typeof microphoneSettings>;
