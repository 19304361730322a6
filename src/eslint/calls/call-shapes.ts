/** How a call takes a signal. */
export interface CallShape {
  /** The place of the options among the arguments; `auto`: the only argument where that is an object, else the second. */
  readonly options: number | 'auto' | 'before-callback';
  /** The option's name. */
  readonly key: 'signal' | 'abortSignal';
  /** Whether the call may change something elsewhere: by its `method` option, or always, or never. */
  readonly changes: 'by-method' | 'yes' | 'no';
  /** Whether an abort is an `error` event, which ends the process if it has no listener. */
  readonly errorEvent?: boolean;
  /** Whether the client was made with a signal. A signal of the call would replace it. */
  readonly ownSignal?: boolean;
  /** The first version of the package that takes a signal. */
  readonly since?: readonly [name: string, major: number, minor: number];
}

const AXIOS = '^axios(\\.Axios\\.new\\(\\)|\\.create\\(\\))?';
const GOT = '^(got|got\\.got)(\\.extend\\(\\))*';
const KY = '^(ky|ky\\.ky)(\\.(extend|create)\\(\\))*';
const axiosSince = ['axios', 0, 22] as const;
const gotSince = ['got', 12, 1] as const;

/** What a call's origin looks like, and how it takes a signal. The first that fits decides. */
export const CALL_SHAPES: readonly (readonly [origin: RegExp, shape: CallShape])[] = [
  [
    /^(global\.(globalThis\.|global\.|self\.)?fetch|undici\.fetch|(node-fetch|cross-fetch|isomorphic-fetch|isomorphic-unfetch|node-fetch-native|make-fetch-happen|whatwg-fetch)(\.fetch)?)$/,
    { options: 1, key: 'signal', changes: 'by-method' },
  ],
  [/^undici\.(request|stream)$/, { options: 1, key: 'signal', changes: 'by-method' }],
  [
    new RegExp(`${AXIOS}\\.(get|head|options)$`),
    { options: 1, key: 'signal', changes: 'no', since: axiosSince },
  ],
  [new RegExp(`${AXIOS}\\.delete$`), { options: 1, key: 'signal', changes: 'yes', since: axiosSince }],
  [
    new RegExp(`${AXIOS}\\.(post|put|patch)(Form)?$`),
    { options: 2, key: 'signal', changes: 'yes', since: axiosSince },
  ],
  [
    new RegExp(`${AXIOS}(\\.request)?$`),
    { options: 'auto', key: 'signal', changes: 'by-method', since: axiosSince },
  ],
  [
    new RegExp(`${GOT}\\.(post|put|patch|delete)$`),
    { options: 'auto', key: 'signal', changes: 'yes', since: gotSince },
  ],
  [
    new RegExp(`${GOT}(\\.(get|head|paginate))?$`),
    { options: 'auto', key: 'signal', changes: 'by-method', since: gotSince },
  ],
  [new RegExp(`${KY}\\.(post|put|patch|delete)$`), { options: 1, key: 'signal', changes: 'yes' }],
  [new RegExp(`${KY}(\\.(get|head))?$`), { options: 1, key: 'signal', changes: 'by-method' }],
  [
    /^child_process\.(exec|execFile)\.promisified$/,
    { options: 'before-callback', key: 'signal', changes: 'yes' },
  ],
  [
    /^child_process\.(exec|execFile|spawn|fork)$/,
    { options: 'before-callback', key: 'signal', changes: 'yes', errorEvent: true },
  ],
  [
    /^(timers\/promises\.(setTimeout|setInterval)|timers\.promises\.(setTimeout|setInterval)|(global|timers)\.setTimeout\.promisified)$/,
    { options: 2, key: 'signal', changes: 'no' },
  ],
  [
    /^(timers\/promises\.setImmediate|(global|timers)\.setImmediate\.promisified)$/,
    { options: 1, key: 'signal', changes: 'no' },
  ],
  [/^events\.once$/, { options: 2, key: 'signal', changes: 'no' }],
  [
    /^(openai|openai\.(OpenAI|AzureOpenAI))\.new\(\)(\.beta)?\.(chat\.completions|completions|responses|embeddings|images|moderations|models|audio\.\w+)\.(create|generate|edit|stream|parse|list)$/,
    { options: 1, key: 'signal', changes: 'no' },
  ],
  [
    /^(@anthropic-ai\/sdk|@anthropic-ai\/sdk\.Anthropic)\.new\(\)(\.beta)?\.messages\.(create|stream|countTokens)$/,
    { options: 1, key: 'signal', changes: 'no' },
  ],
  [
    /^@aws-sdk\/(client|lib)-[\w-]+\.\w+(\.new\(\)|\.from\(\))\.send$/,
    { options: 1, key: 'abortSignal', changes: 'yes' },
  ],
];

/** A file whose text does not match has none of these calls. */
export const CALL_WORDS =
  /fetch|axios|\bgot\b|\bky\b|undici|child_process|timers|setTimeout|setImmediate|events|openai|anthropic|aws-sdk/;
