/** How much a message may hold. They bound memory on both sides; a shop's real orders stay far below. */

/** Terminal, sale, request and item ids, idempotency keys (the strictest gateway takes 300 characters). */
export const MAX_ID_BYTES = 192;

/** Item names, card tokens, authorisation codes. */
export const MAX_TEXT_BYTES = 512;

/** Lines of one sale. */
export const MAX_LINES = 200;

/** Openings of its journal that a terminal names in a greeting. */
export const MAX_OPENINGS = 64;

/** Option groups of one line. */
export const MAX_OPTIONS = 32;
