import { commentBehind, eol, indentOf, type Edit } from '../calls/add-signal';
import { statementsOf, type Node, type Source } from './node';

/**
 * The edit that takes a statement out: with its line where nothing else stands on it, with the comment lines right above it,
 * and with the blank line that would be left between two others.
 */
export function removeStatement(statement: Node, source: Source): Edit {
  const { text } = source;
  const [from, to] = statement.range;
  const line = text.lastIndexOf('\n', from - 1) + 1;
  const rest = /^[ \t]*(\/\/[^\n]*)?(\r?\n|$)/.exec(text.slice(to));
  if (text.slice(line, from).trim() !== '' || rest === null) return { range: [from, to], text: '' };
  const comments = /(?:^|\n)((?:[ \t]*\/\/[^\n]*\n)+)$/.exec(text.slice(0, line))?.[1] ?? '';
  const start = line - comments.length;
  const end = to + rest[0].length;
  const isAmidBlanks = /(^|[{\n])[ \t]*\r?\n$/.test(text.slice(0, start));
  const blank = isAmidBlanks ? (/^[ \t]*\r?\n/.exec(text.slice(end))?.[0].length ?? 0) : 0;
  return { range: [start, end + blank], text: '' };
}

/**
 * The edit that puts a line after a statement and the comment at the end of its line, as far in as the statement is. Where
 * other code stands behind the statement, it is put between them.
 */
export function lineAfter(statement: Node, line: string, source: Source): Edit {
  const [, end] = statement.range;
  const at = end + commentBehind(end, source).length;
  const isAmidLine = /^[ \t]*[^ \t\r\n]/.test(source.text.slice(at));
  if (isAmidLine && !line.includes('\n'))
    return { range: [end, end], text: ` ${line}${line.endsWith(';') ? '' : ';'}` };
  return { range: [at, at], text: `${eol(source)}${indentOf(statement, source)}${line}` };
}

/** The edit that puts a line before a statement, and before the comment lines right above it. */
export function lineBefore(statement: Node, line: string, source: Source): Edit {
  const start = source.text.lastIndexOf('\n', statement.range[0] - 1) + 1;
  const isFirst = source.text.slice(start, statement.range[0]).trim() === '';
  const above = isFirst ? source.text.slice(0, start) : '';
  const comments = /(?:^|\n)((?:[ \t]*\/\/[^\n]*\n)+)$/.exec(above)?.[1] ?? '';
  const indent = /^[ \t]*/.exec(comments)?.[0] ?? '';
  const at = comments === '' ? statement.range[0] : start - comments.length + indent.length;
  return { range: [at, at], text: `${line}${eol(source)}${indentOf(statement, source)}` };
}

/**
 * The edits that drop a `finally` of which nothing is left. A `try` that had nothing else is opened, unless its text may not
 * be moved (it holds a text of several lines) or a name of it would meet another outside.
 */
export function dropFinally(tryNode: Node, removed: readonly Edit[], source: Source): Edit[] {
  if (tryNode.handler != null) return [{ range: [tryNode.handler.range[1], tryNode.range[1]], text: '' }];
  const block = tryNode.block;
  const inside = statementsOf(tryNode.block && { ...tryNode.block, body: block?.body ?? [] });
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || !mayBeOpened(tryNode, inside, source)) return [];
  const shift = indentOf(first, source).length - indentOf(tryNode, source).length;
  const edits: Edit[] = [
    { range: [tryNode.range[0], first.range[0]], text: '' },
    { range: [last.range[1], tryNode.range[1]], text: '' },
  ];
  const { text } = source;
  for (
    let at = text.indexOf('\n', first.range[0]) + 1;
    at > 0 && at < last.range[1];
    at = text.indexOf('\n', at) + 1
  ) {
    const blanks = /^[ \t]*/.exec(text.slice(at))?.[0].length ?? 0;
    const isRemoved = removed.some(({ range }) => at >= range[0] && at < range[1]);
    if (!isRemoved && blanks >= shift && shift > 0) edits.push({ range: [at, at + shift], text: '' });
  }
  return edits;
}

function mayBeOpened(tryNode: Node, inside: readonly Node[], source: Source): boolean {
  const text = source.getText(tryNode.block);
  const siblings = statementsOf(tryNode.parent);
  const isLast = siblings.at(-1) === tryNode;
  const names = inside.flatMap((each) =>
    (each.declarations ?? []).map(({ id }) => source.getText(id ?? each)),
  );
  const outer = new Set(tryNode.block ? source.getScope(tryNode.block).upper?.set.keys() : []);
  const isShadowing = names.some((name) => outer.has(name) || !/^\w+$/.test(name));
  return isLast && !isShadowing && !/`[^`]*\n|\/\*/.test(text);
}
