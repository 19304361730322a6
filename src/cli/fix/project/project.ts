import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectionOf, isChosen, isTypeScript, nameOf, type Choice, type Surroundings } from './inspection';
import { partsIn } from './parts';
import { isBehind, Packages, type Package } from './packages';
import type { Partners } from './partners';
import { repairText, type FileOutcome, type Finding } from '../repair-file';

/** The files of a run, with what is known of them together. */
export interface Project extends Surroundings {
  readonly texts: ReadonlyMap<string, string>;
  /** The packages in which `hangup()` is mounted, or will be by a repair: without it no signal means what it should. */
  readonly mounted: readonly Package[];
  /** The packages in which `gatewayErrorHandler()` is mounted, or will be. */
  readonly answering: readonly Package[];
  /** Files that are not read, each with the reason. */
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
}

/** A file without any of these words has nothing for any rule: it need not be parsed. */
const WORDS =
  /fetch|axios|\bgot\b|\bky\b|undici|child_process|promisify|timers|openai|anthropic|aws-sdk|express|AbortController|'close'|"close"|'aborted'|createProxyMiddleware|Agent|SIGTERM|NestFactory|APP_FILTER|timedout|clearTimeout/;
/** Nor has one that only catches, where it neither answers nor hands on to the next. */
const ANSWERS =
  /\b(json|jsonp|status|send|sendStatus|sendFile|render|redirect|download|end|write|pipe|next)\b/;

/** Rules whose repairs mean something only behind `hangup()`. */
const NEED_MOUNT = new Set(['call-without-signal', 'no-abort-snippet', 'service-without-signal']);
/** A rule whose repairs mean something only in front of `gatewayErrorHandler()`. */
const NEEDS_ERROR_HANDLER = 'catch-hides-fault';

/** Reads the files, and looks where the app is made. */
export function openProject(
  files: readonly string[],
  root: string,
  partners: Partners,
  choice: Choice,
): Project {
  const texts = new Map<string, string>();
  const unreadable: { file: string; why: string }[] = [];
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    if (!mayConcernRules(text)) continue;
    const why = whyUnreadable(file, text, partners);
    if (why === undefined) texts.set(file, text);
    else unreadable.push({ file: nameOf(file, root), why });
  }
  const packages = new Packages(root);
  const hasNestFilters = [...texts.values()].some((text) => /\b(APP_FILTER|useGlobalFilters)\b/.test(text));
  const parts = partsIn(texts);
  const open = { root, texts, partners, choice, packages, unreadable, hasNestFilters, parts };
  const [mounted] = packagesWith('hangup', MOUNTS, open);
  const [answering, not] = packagesWith('gatewayErrorHandler', ['mount-gateway-error-handler'], open);
  return { ...open, mounted, answering: answering.filter((each) => !not.includes(each)) };
}

function mayConcernRules(text: string): boolean {
  return WORDS.test(text) || (text.includes('catch') && ANSWERS.test(text));
}

/** The packages in which something of ours is mounted or will be, and those with an app on which it will not. */
function packagesWith(
  name: string,
  rules: readonly string[],
  project: Surroundings & Pick<Project, 'texts'>,
): [yes: Package[], no: Package[]] {
  const seen = [...project.texts].map(([file, text]) => ({
    of: project.packages.of(file),
    mounts: mountsIn(file, text, name, rules, project),
  }));
  const those = (kind: Mounts): Package[] => [
    ...new Set(seen.filter(({ mounts }) => mounts === kind).map((each) => each.of)),
  ];
  return [those('yes'), those('no')];
}

/** Whether a file mounts something of ours, or will; `none` where it makes no app. */
type Mounts = 'yes' | 'no' | 'none';

const MAX_CHARACTERS = 1_000_000;

function whyUnreadable(file: string, text: string, { typescript }: Partners): string | undefined {
  if (typescript === undefined && isTypeScript(file))
    return 'it is TypeScript, which typescript-eslint reads: npm install --save-dev typescript-eslint';
  // What is not text in UTF-8 would be written back as something else.
  if (text.includes('\uFFFD')) return 'it is not text in UTF-8';
  return text.length > MAX_CHARACTERS ? 'it is longer than a million characters' : undefined;
}

function mountsIn(
  file: string,
  text: string,
  name: string,
  rules: readonly string[],
  project: Surroundings,
): Mounts {
  if (new RegExp(`\\b${name}\\s*\\(`).test(text) && text.includes('express-hangup')) return 'yes';
  if (!mayMakeApp(text)) return 'none';
  const only = rules.filter((rule) => isChosen(rule, project.choice));
  if (only.length === 0) return 'none';
  const inspection = inspectionOf(file, text, { ...project, choice: { ...project.choice, only } });
  const { repaired, left } = repairText(text, inspection, () => true);
  if (left.length > 0) return 'no';
  return repaired.length > 0 ? 'yes' : 'none';
}

/** What a file calls Express; most import its types only. */
const EXPRESS =
  /(?:import\s+(?!type\b)(?:\*\s*as\s+)?(\w+)[^;'"]*?from\s*|(\w+)\s*=\s*require\(\s*)['"]express['"]/;
const OTHER_APPS =
  /['"](@nestjs\/core|connect-timeout|express-timeout-handler)['"]|['"]express['"]\s*\)\s*\(/;

/** Whether a file has to be parsed to know whether it makes an app. */
function mayMakeApp(text: string): boolean {
  // The longer expressions are slow where they find nothing.
  if (!/['"](express|@nestjs\/core|connect-timeout|express-timeout-handler)['"]/.test(text)) return false;
  const [, imported, required] = EXPRESS.exec(text) ?? [];
  const name = imported ?? required;
  return OTHER_APPS.test(text) || (name !== undefined && new RegExp(`\\b${name}\\s*\\(`).test(text));
}

const MOUNTS = ['mount-hangup', 'no-connect-timeout', 'no-express-timeout-handler'];

/** Repairs one file of a project, as far as `wanted` says. */
export function repairFile(
  file: string,
  project: Project,
  wanted: (finding: Finding) => boolean,
): FileOutcome {
  const text = project.texts.get(file) ?? '';
  const { choice } = project;
  const hasMount = isBehindHangup(file, project);
  const hasErrorHandler = hasMount && isBehind(project.answering, project.packages.of(file));
  const chosen = new Set(choice.context ? ['service-without-signal/service'] : []);
  const isWanted = (finding: Finding): boolean =>
    (hasMount || !NEED_MOUNT.has(finding.rule)) &&
    (hasErrorHandler || finding.rule !== NEEDS_ERROR_HANDLER) &&
    wanted(finding);
  return repairText(text, inspectionOf(file, text, project), isWanted, chosen);
}

function isBehindHangup(file: string, { mounted, packages }: Project): boolean {
  return isBehind(mounted, packages.of(file));
}

/** The folders of the packages in which repairs are left out, as nothing mounts `hangup()` there. */
export function foldersWithoutMount(left: readonly Finding[], project: Project): string[] {
  const files = left.filter(({ rule }) => NEED_MOUNT.has(rule)).map(({ file }) => join(project.root, file));
  const open = files.filter((file) => !isBehindHangup(file, project));
  return [...new Set(open.map((file) => nameOf(project.packages.of(file).folder, project.root)))].sort();
}
