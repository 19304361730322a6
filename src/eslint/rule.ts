import type { Edit } from './calls/add-signal';
import { otherFiles, type OtherFiles } from './calls/other-files';
import type { Parser } from './code/loaded';
import type { Node, Source } from './code/node';
import { disjoint } from './code/disjoint';
import { projectOf, type Project, type ProjectSettings } from './code/project';
import { handlersOf, type Handler } from './express/handlers';

/** What a rule reports. */
export interface Finding {
  readonly node: Node;
  readonly messageId: string;
  readonly data?: Record<string, string>;
  /** Edits that change nothing but what an abort does. */
  readonly fix?: readonly Edit[] | undefined;
  /** Edits that a person may choose. */
  readonly suggest?: readonly Suggestion[];
}

export interface Suggestion {
  readonly messageId: string;
  readonly data?: Record<string, string>;
  readonly edits: readonly Edit[];
}

/** What a rule has to work with in one file. */
export interface RuleKit {
  readonly source: Source;
  readonly filename: string;
  readonly project: Project;
  readonly settings: ProjectSettings;
  readonly options: Record<string, unknown>;
  readonly files: OtherFiles;
  readonly handlers: () => ReadonlyMap<Node, Handler>;
  readonly report: (finding: Finding) => void;
}

interface Fixer {
  replaceTextRange: (range: [number, number], text: string) => unknown;
}

interface Report {
  node: Node;
  messageId: string;
  data?: Record<string, string>;
  fix?: (fixer: Fixer) => unknown[];
  suggest?: { messageId: string; data?: Record<string, string>; fix: (fixer: Fixer) => unknown[] }[];
}

/** What the rules use of ESLint's rule context. */
export interface RuleContext {
  readonly filename: string;
  readonly sourceCode: Source;
  readonly settings: Record<string, unknown>;
  readonly options: readonly unknown[];
  readonly languageOptions: { parser?: Parser };
  report: (report: never) => void;
}

/** A rule of ESLint's, in the part of its shape that ours have. */
export interface HangupRule {
  readonly meta: {
    readonly type: 'problem' | 'suggestion';
    readonly docs: { readonly description: string; readonly recommended: boolean };
    readonly messages: Record<string, string>;
    readonly schema: object[];
    readonly fixable?: 'code';
    readonly hasSuggestions?: boolean;
  };
  // ESLint's own types differ from version to version, so none is used here. Every version accepts a rule of this shape.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  create: (context: any) => any;
}

interface RuleText {
  readonly description: string;
  readonly messages: Record<string, string>;
  readonly type?: 'problem' | 'suggestion';
  readonly schema?: object[];
}

/** Makes an ESLint rule from its texts and its listeners. */
export function rule(
  text: RuleText,
  listen: (kit: RuleKit) => Record<string, (node: Node) => void>,
): HangupRule {
  return {
    meta: {
      type: text.type ?? 'problem',
      docs: { description: text.description, recommended: true },
      messages: text.messages,
      schema: text.schema ?? [],
      fixable: 'code',
      hasSuggestions: true,
    },
    create: (context: RuleContext) => listen(kitOf(context)),
  };
}

function kitOf(context: RuleContext): RuleKit {
  const { sourceCode: source, filename } = context;
  const settings = (context.settings['express-hangup'] ?? {}) as ProjectSettings;
  const project = projectOf(filename, settings);
  const report = context.report as unknown as (report: Report) => void;
  return {
    source,
    filename,
    project,
    settings,
    options: (context.options[0] ?? {}) as Record<string, unknown>,
    files: otherFiles(filename, context.languageOptions.parser ?? {}, source.visitorKeys),
    handlers: () => handlersOf(source, project),
    report: (finding) => report.call(context, reportOf(finding)),
  };
}

function reportOf({ node, messageId, data = {}, fix, suggest = [] }: Finding): Report {
  const edits = fix && disjoint(fix);
  return {
    node,
    messageId,
    data,
    ...(edits && { fix: (fixer: Fixer) => applied(edits, fixer) }),
    suggest: suggest.flatMap((each) => {
      const suggested = disjoint(each.edits);
      if (suggested === undefined) return [];
      const words = { messageId: each.messageId, data: each.data ?? data };
      return [{ ...words, fix: (fixer: Fixer) => applied(suggested, fixer) }];
    }),
  };
}

function applied(edits: readonly Edit[], fixer: Fixer): unknown[] {
  return edits.map(({ range, text }) => fixer.replaceTextRange([range[0], range[1]], text));
}
