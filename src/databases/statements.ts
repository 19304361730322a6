/** White space and comments before a statement. Bounded, so that a text of nothing but blanks is read once. */
const BEFORE = String.raw`^(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;

const END_OF_TRANSACTION = new RegExp(
  String.raw`${BEFORE}(?:commit|end|rollback|abort|prepare\s+transaction)\b`,
  'i',
);
const TAKES_BACK = new RegExp(String.raw`${BEFORE}(?:rollback|abort)\b`, 'i');

/**
 * Whether a statement ends a transaction. Such a statement is never cancelled while it runs: a COMMIT that is
 * interrupted while it waits for a replica has taken effect (PostgreSQL's manual, synchronous_commit), and its
 * error would hide that.
 */
export function endsTransaction(text: string | undefined): boolean {
  return text !== undefined && END_OF_TRANSACTION.test(text);
}

/** Whether a statement is a rollback. It is let through after the request's end, so that the caller can clean up. */
export function takesBack(text: string | undefined): boolean {
  return text !== undefined && TAKES_BACK.test(text);
}
