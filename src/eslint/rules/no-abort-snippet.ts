import type { Edit } from '../calls/add-signal';
import { callsOfOurs } from '../code/mounted';
import { isTaken } from '../code/imports';
import { dropFinally, removeStatement } from '../code/remove';
import { statementsOf, type Node, type Source } from '../code/node';
import { originText } from '../code/origin';
import { placeOf, requestName } from '../express/handler-around';
import { rule, type RuleKit } from '../rule';
import { readSnippet, type Snippet } from './snippet';

/** Reports the abort snippet that the usual pages tell people to paste into every route. */
export const noAbortSnippet = rule(
  {
    description: 'Handlers use req.signal in place of a controller, a timer and req.on("close")',
    messages: {
      snippet:
        "This controller aborts when the request's body has been read, or misses that the client left: use `{{signal}}`.",
      timerOnly: 'This controller knows its timer only, not that the client has left: use `{{signal}}`.',
      entangled:
        'This controller is aborted on `close`, which comes when the body has been read. It does more than that: use `{{signal}}` by hand.',
      redundant: 'This controller does by hand what `{{signal}}` does.',
      replace: 'Use `{{signal}}` in its place.',
      limitAll:
        'Use `{{signal}}` in its place: it limits all of the handler, where the timer was stopped before its end.',
    },
  },
  (kit) => ({
    NewExpression: (made) => {
      const declarator = made.parent;
      if (originText(made, kit.source) !== 'global.AbortController.new()') return;
      if (declarator?.type !== 'VariableDeclarator' || declarator.init !== made) return;
      const place = placeOf(made, kit.handlers());
      const req = place && requestName(made, place.handler, kit.source);
      const snippet = req === undefined ? undefined : readSnippet(declarator, kit.source);
      if (req === undefined || snippet === undefined || place === undefined) return;
      judge(declarator, snippet, req, place.handler.fn, kit);
    },
  }),
);

function judge(declarator: Node, snippet: Snippet, req: string, fn: Node, kit: RuleKit): void {
  const { source, settings } = kit;
  const { timer } = snippet;
  const signal =
    timer === undefined ? `${req}.signal` : `${req}.deadline.signal(${source.getText(timer.ms)})`;
  const data = { signal };
  const edits = snippet.entangled ? undefined : replaced(declarator, snippet, signal, fn, source);
  if (edits === undefined) {
    if (snippet.listeners.length > 0) kit.report({ node: declarator, messageId: 'entangled', data });
    return;
  }
  const messageId = messageOf(snippet, req, source);
  const isMounted = settings.mounted === true || callsOfOurs('hangup', source).length > 0;
  // Without hangup() there is no req.deadline, and code that worked would throw.
  if (isMounted && !snippet.stopsEarly) kit.report({ node: declarator, messageId, data, fix: edits });
  else {
    const suggestion = snippet.stopsEarly ? 'limitAll' : 'replace';
    kit.report({ node: declarator, messageId, data, suggest: [{ messageId: suggestion, data, edits }] });
  }
}

/** A listener on the response is called when the client leaves; one on the request does not show that. */
function messageOf({ listeners }: Snippet, req: string, source: Source): string {
  if (listeners.length === 0) return 'timerOnly';
  const isOnRequest = listeners.some((each) => source.getText(each).startsWith(`${req}.`));
  return isOnRequest ? 'snippet' : 'redundant';
}

function replaced(
  declarator: Node,
  snippet: Snippet,
  signal: string,
  fn: Node,
  source: Source,
): Edit[] | undefined {
  const declaration = declarator.parent;
  if (declaration?.declarations?.length !== 1) return undefined;
  const isKept = snippet.timer !== undefined;
  const name = isTaken('signal', source) ? 'requestSignal' : 'signal';
  if (isKept && isTaken(name, source)) return undefined;
  const gone = [...snippet.listeners, ...(snippet.timer?.statements ?? [])];
  const edits = gone.map((statement) => removeStatement(statement, source));
  if (isKept) edits.push({ range: declarator.range, text: `${name} = ${signal}` });
  else edits.push(removeStatement(declaration, source));
  for (const read of snippet.reads) edits.push(readEdit(read, isKept ? name : signal));
  edits.push(...emptied(gone, edits, source));
  if (isKept) edits.push(...timeoutsToo(fn, source));
  return edits;
}

function readEdit(read: Node, text: string): Edit {
  const { parent } = read;
  const isShort = parent?.type === 'Property' && parent.key?.name === text && parent.value === read;
  return isShort ? { range: parent.range, text } : { range: read.range, text };
}

/** The edits for a `finally` that only cleared the timer. */
function emptied(gone: readonly Node[], removed: readonly Edit[], source: Source): Edit[] {
  const blocks = new Set(gone.map(({ parent }) => parent));
  return [...blocks].flatMap((block) => {
    const tryNode = block?.parent?.type === 'TryStatement' ? block.parent : undefined;
    const isFinally = tryNode !== undefined && tryNode.finalizer === block;
    if (!isFinally || !statementsOf({ ...tryNode, body: block } as Node).every((each) => gone.includes(each)))
      return [];
    return dropFinally(tryNode, removed, source);
  });
}

/** `req.deadline.signal(ms)` aborts with a `TimeoutError`, so a check for `AbortError` becomes a check for both. */
function timeoutsToo(fn: Node, source: Source): Edit[] {
  const text = source.getText(fn);
  if (text.includes('TimeoutError')) return [];
  return [...text.matchAll(/([\w.?]+)\.name\s*(={2,3}|!={1,2})\s*(['"])AbortError\3/g)].map((found) => {
    const from = fn.range[0] + found.index;
    const join = found[2]?.startsWith('!') === true ? '&&' : '||';
    const both = `${found[0]} ${join} ${found[0].replace('AbortError', 'TimeoutError')}`;
    const isAlone = text[found.index - 1] === '(' && text[found.index + found[0].length] === ')';
    return { range: [from, from + found[0].length], text: isAlone ? both : `(${both})` };
  });
}
