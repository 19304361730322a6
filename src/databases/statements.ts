/** White space and comments before a statement. Bounded, so that a text of nothing but blanks is read once. */
const BEFORE = String.raw`^(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;

const END_OF_TRANSACTION = new RegExp(
  String.raw`${BEFORE}(?:commit|end|rollback|abort|prepare\s+transaction)\b`,
  'i',
);
const TAKES_BACK = new RegExp(String.raw`${BEFORE}(?:rollback|abort)\b`, 'i');

/**
 * Whether a statement ends a transaction. One that runs is never cancelled: a COMMIT that is interrupted while it waits for a
 * replica has taken effect all the same (PostgreSQL's manual, synchronous_commit), and nobody could tell.
 */
export function endsTransaction(text: string | undefined): boolean {
  return text !== undefined && END_OF_TRANSACTION.test(text);
}

/** Whether a statement takes work back. It is let through when the request is over: it is how a caller cleans up. */
export function takesBack(text: string | undefined): boolean {
  return text !== undefined && TAKES_BACK.test(text);
}
