/** One thing that was left behind. */
export interface Leak {
  kind: 'socket' | 'timer' | 'listener' | 'request';
  /** In words. */
  what: string;
  /** The place in the code where it was made, where that is known. */
  where: string | undefined;
}
