import { CALL_SHAPES, CALL_WORDS } from '../../src/eslint/calls/call-shapes';

it.each(CALL_SHAPES.map(([origin]) => origin))(
  'a file that exports what %s stands for has a word for which it is parsed',
  ({ source }) => {
    expect(source).toMatch(CALL_WORDS);
  },
);
