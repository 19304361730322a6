import ts from 'typescript';

/** Two characters of the code between which the language needs no space. */
const CLOSE = /[(){}[\],;:=?]|[\w$"'`][&|<>+\-*/!%^~]|[&|<>+\-*/!%^~][\w$"'`]|[&|][!/]/;

const COMMENT = /\/\*[^]*?\*\/|\/\/[^\n]*/g;

/**
 * The same code, line for line, without comments and empty lines, and with a tab for each two spaces of indentation: the
 * sources and the declarations have the comments. No name changes and no two lines become one: stack traces stay readable.
 * @param code - JavaScript.
 * @param options.dense - Without indentation and without spaces beside punctuation.
 */
export function shrink(code, { dense = false } = {}) {
  const file = ts.createSourceFile('chunk.js', code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const parts = [];
  const visit = (node) => {
    const children = node.getChildren(file).filter((child) => !ts.isJSDoc(child));
    if (children.length > 0) children.forEach(visit);
    else if (node.kind !== ts.SyntaxKind.SyntaxList) {
      const start = node.getStart(file);
      const text = gap(code.slice(node.getFullStart(), start));
      parts.push(dense ? narrow(text, code[node.getFullStart() - 1], code[start]) : text);
      parts.push(code.slice(start, node.getEnd()));
    }
  };
  visit(file);
  return `${parts.join('').trim()}\n`;
}

/** Shrinks the text between two tokens of the code. It never holds a string or a template. */
function gap(text) {
  if (text.startsWith('#!')) return text;
  const bare = text.replace(COMMENT, '');
  const lastLine = bare.lastIndexOf('\n');
  if (lastLine === -1) return text === '' ? '' : ' ';
  return `\n${'\t'.repeat((bare.length - lastLine - 1) / 2)}`;
}

/** The gap between two characters of the code, without spaces that the language does not need. */
function narrow(text, before, after) {
  if (text.startsWith('\n')) return '\n';
  return CLOSE.test(before + after) ? '' : text;
}
