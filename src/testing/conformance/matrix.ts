/** The faults of the matrix, one row each. */
export const ROWS = [
  ...(['ok', 'slow', 'hang', 'hang-body', 'reset', 'close', 'reset-chunk'] as const),
  ...(['close-body', 'close-chunk', 'garbage', 'refuse', 'stale'] as const),
] as const;

/** The behaviours of the client, one column each. */
export const COLUMNS = [
  ...(['stays', 'leaves-fin', 'leaves-rst', 'leaves-in-response', 'leaves-in-request'] as const),
] as const;

/** Columns in which there are several clients, with the rows that have them. */
export const NEIGHBOURS = { 'two-at-once': ['ok', 'slow', 'reset'], 'one-after-another': ['ok'] } as const;

/** A row of the matrix: what the upstream does. */
export type ConformanceFault = (typeof ROWS)[number];

/** A column of the matrix: what the client does. */
export type ConformanceClient = (typeof COLUMNS)[number] | keyof typeof NEIGHBOURS;

/** Whether a request with this method sends a body. */
export function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'DELETE';
}

/** Where each cell of a run is, in the order in which they are played. */
export interface MatrixPlace {
  fault: ConformanceFault;
  client: ConformanceClient;
  method: string;
  call?: number;
}

/** The most calls of one route that are made to fail one by one. */
const MOST_CALLS = 3;

/**
 * All places of one method. Where a request makes several calls, a client that stays and one that leaves also see the later
 * ones fail while the first ones succeed.
 */
export function placesOf(
  method: string,
  calls: number,
  faults: readonly ConformanceFault[],
  clients: readonly ConformanceClient[],
): MatrixPlace[] {
  const places: MatrixPlace[] = [];
  const later = Array.from({ length: Math.min(calls, MOST_CALLS) - 1 }, (_, i) => i + 2);
  for (const fault of faults) {
    for (const client of clients) if (hasCell(fault, client)) places.push({ method, fault, client });
    for (const call of isOfOneCall(fault) ? later : []) {
      for (const client of ['stays', 'leaves-fin'] as const)
        if (clients.includes(client)) places.push({ method, fault, client, call });
    }
  }
  return places;
}

function hasCell(fault: ConformanceFault, client: ConformanceClient): boolean {
  const rows: readonly ConformanceFault[] =
    client === 'two-at-once' || client === 'one-after-another' ? NEIGHBOURS[client] : ROWS;
  return rows.includes(fault);
}

// A connection is refused, or dead, before anybody knows which call it is for.
function isOfOneCall(fault: ConformanceFault): boolean {
  return fault !== 'ok' && fault !== 'refuse' && fault !== 'stale';
}

/**
 * Sorts the places of one method into turns. Where the upstream only waits, clients that stay and those that leave in the
 * response wait for the same moment, so they take place at once: they have a turn of their own. Every other place has one alone.
 */
export function turnsOf(places: readonly MatrixPlace[], calls: number): MatrixPlace[][] {
  const turns: MatrixPlace[][] = [];
  const waiting = new Map<ConformanceFault, MatrixPlace[]>();
  for (const place of places) {
    const isShared = isWaiting(place, calls);
    const turn = isShared ? waiting.get(place.fault) : undefined;
    if (turn) turn.push(place);
    else {
      const begun = [place];
      turns.push(begun);
      if (isShared) waiting.set(place.fault, begun);
    }
  }
  return turns;
}

// Where several calls are all slow the later ones of one request would come amid those of another one.
function isWaiting({ fault, client }: MatrixPlace, calls: number): boolean {
  const waits = fault === 'hang' || fault === 'hang-body' || (fault === 'slow' && calls < 2);
  return waits && (client === 'stays' || client === 'leaves-in-response');
}
