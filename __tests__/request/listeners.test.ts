import {
  callListeners,
  withListener,
  withoutListener,
  type Listeners,
} from '../../src/request/lifetime/listeners';

type Listener = (value: string) => void;

/** Adds listeners that note their names; gives them, the list of calls, and the collection. */
function listening(...names: string[]) {
  const calls: string[] = [];
  const each = new Map<string, Listener>(
    names.map((name) => [name, (value) => void calls.push(`${name} ${value}`)]),
  );
  let listeners: Listeners<Listener> = undefined;
  for (const listener of each.values()) listeners = withListener(listeners, listener);
  return { calls, each, listeners: listeners };
}

test.each([[[]], [['a']], [['a', 'b', 'c']]])(
  'listeners %j are called in the order of their adding',
  (names) => {
    const { calls, listeners } = listening(...names);
    callListeners(listeners, 'now');
    expect(calls).toEqual(names.map((name) => `${name} now`));
  },
);

test.each([[['a']], [['a', 'b']]])('a listener that is added twice to %j is called once', (names) => {
  const { calls, each, listeners } = listening(...names);
  callListeners(withListener(listeners, each.get('a')!), 'now');
  expect(calls).toEqual(names.map((name) => `${name} now`));
});

test.each([
  [['a'], 'a', []],
  [['a', 'b'], 'a', ['b now']],
])('of the listeners %j, %s is not called any more once it is removed', (names, removed, expected) => {
  const { calls, each, listeners } = listening(...names);
  callListeners(withoutListener(listeners, each.get(removed)!), 'now');
  expect(calls).toEqual(expected);
});

test('removing a function that was never added removes nothing', () => {
  const { calls, listeners } = listening('a');
  callListeners(
    withoutListener(listeners, () => undefined),
    'now',
  );
  expect(calls).toEqual(['a now']);
});

test('a listener that another one removes while they are called is not called', () => {
  const { calls, each, listeners } = listening('a', 'b');
  let all = withListener(undefined as Listeners<Listener>, () => {
    all = withoutListener(all, each.get('b')!);
  });
  for (const listener of (listeners as Set<Listener>).values()) all = withListener(all, listener);
  callListeners(all, 'now');
  expect(calls).toEqual(['a now']);
});
