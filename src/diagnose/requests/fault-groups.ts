import type { FaultGroup, FaultReport } from '../report';

/** How many kinds of faults are kept; the one that was seen longest ago makes room. */
const MAX_GROUPS = 200;

/** Faults of the same kind, counted: many of one kind push none of another kind out. */
export class FaultGroups {
  private readonly groups = new Map<string, FaultGroup>();
  /** Faults of the kinds that have made room. */
  leftOut = 0;

  /** Counts a fault. Gives the key by which it can be taken out again. */
  add(fault: FaultReport): string {
    const key = keyOf(fault);
    const known = this.groups.get(key);
    this.groups.delete(key);
    if (this.groups.size >= MAX_GROUPS) this.dropOldest();
    this.groups.set(key, {
      count: (known?.count ?? 0) + 1,
      firstAt: known?.firstAt ?? fault.at,
      lastAt: fault.at,
      last: fault,
    });
    return key;
  }

  /** More has become known of a fault, and it is one of another kind. */
  remove(key: string): void {
    const group = this.groups.get(key);
    if (!group) {
      this.leftOut--;
      return;
    }
    group.count--;
    if (group.count === 0) this.groups.delete(key);
  }

  /** The latest first. */
  report(shown: (fault: FaultReport) => FaultReport): FaultGroup[] {
    return [...this.groups.values()].reverse().map((group) => ({ ...group, last: shown(group.last) }));
  }

  private dropOldest(): void {
    const [oldest] = this.groups;
    if (!oldest) return;
    const [key, { count }] = oldest;
    this.leftOut += count;
    this.groups.delete(key);
  }
}

function keyOf({ code, status, method, route, outcome, upstream }: FaultReport): string {
  const { origin, verdict, trigger, where } = upstream ?? {};
  const line = where && `${where.file}:${where.line}`;
  return JSON.stringify([code, status, method, route, outcome, origin, verdict, trigger, line]);
}
