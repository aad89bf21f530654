/** The settings of the driver "speaker/alsa": one schema gives type, defaults, checks and the settings page. */
import { z } from "zod";

export const speakerSettings = z.strictObject({
  /** ALSA device by name: "plughw:CARD=Device", "default". `aplay -L` lists them. */
  device: z.string().min(1).default("default"),
  /** The rate at which the device is opened; speech of another rate is converted. espeak-ng speaks at 22050. */
  sampleRate: z.number().int().min(8_000).max(48_000).default(22_050),
});

export type SpeakerSettings = z.infer<typeof speakerSettings>;
