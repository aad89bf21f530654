/** What the line to the terminals writes to: any logger with fields and a text, such as pino. */
export type LinkLog = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};
