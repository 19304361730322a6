import { imported } from '../code/imports';
import { isIdentifier, unwrap } from '../code/node';
import { originText } from '../code/origin';
import { rule } from '../rule';

const CREATE = /^http-proxy-middleware\.(createProxyMiddleware|legacyCreateProxyMiddleware)$/;

/** Reports http-proxy-middleware without `hangupProxy()`: it answers resets with 504 and makes fragments look whole. */
export const wrapProxy = rule(
  {
    description: 'The options of createProxyMiddleware() go through hangupProxy()',
    messages: {
      unwrapped:
        'By itself createProxyMiddleware() passes off a body that breaks as whole, and does not stop with its client.',
      old: 'http-proxy-middleware before version 3 cannot be mended: update it, and wrap its options in hangupProxy().',
      wrap: 'Wrap its options in `hangupProxy()`.',
    },
  },
  ({ source, project, settings, report }) => ({
    CallExpression: (call) => {
      if (!CREATE.test(originText(call.callee, source) ?? '')) return;
      const given = call.arguments ?? [];
      const [options] = given;
      const inner = options && unwrap(options);
      const isWrapped = inner?.type === 'CallExpression' && /hangupProxy/i.test(source.getText(inner.callee));
      const isName = isIdentifier(inner) && /hangup/i.test(inner.name);
      if (isWrapped || isName) return;
      const major = project.version('http-proxy-middleware')?.[0];
      // Until version 2 a path could stand before the options.
      if (given.length > 1 || (major !== undefined && major < 3)) {
        report({ node: call, messageId: 'old' });
        return;
      }
      if (options === undefined || options.type === 'SpreadElement') {
        report({ node: call, messageId: 'unwrapped' });
        return;
      }
      const { local, edits } = imported('hangupProxy', source, settings.importsAreAdded);
      const wrapping = [
        { range: [options.range[0], options.range[0]] as const, text: `${local}(` },
        { range: [options.range[1], options.range[1]] as const, text: ')' },
      ];
      report({
        node: call,
        messageId: 'unwrapped',
        suggest: [{ messageId: 'wrap', edits: [...edits, ...wrapping] }],
      });
    },
  }),
);
