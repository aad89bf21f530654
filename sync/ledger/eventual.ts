/** A value now, or a promise of it: a storage of the ledger may be of either kind. */
export type Eventual<Value> = Value | Promise<Value>;
