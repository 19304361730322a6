import { privateField } from '../src/private-field';

describe('a private field', () => {
  it('holds one value for each object', () => {
    const field = privateField<number>();
    const [one, other] = [{}, {}];
    field.set(one, 1);
    field.set(other, 2);
    field.set(one, 3);
    expect([field.get(one), field.get(other), field.get({})]).toEqual([3, 2, undefined]);
  });

  it('computes a value where there is none, once', () => {
    const field = privateField<object>();
    const object = {};
    const computed = field.getOrInsertComputed(object, (key) => ({ key }));
    expect(computed).toEqual({ key: object });
    expect(field.getOrInsertComputed(object, () => ({}))).toBe(computed);
    expect(field.get(object)).toBe(computed);
  });

  it('is in no list of keys and in no copy', () => {
    const field = privateField<number>();
    const object = { shown: true };
    field.set(object, 1);
    expect(Reflect.ownKeys(object)).toEqual(['shown']);
    expect(field.get({ ...object })).toBeUndefined();
  });

  it('knows its own values only', () => {
    const [one, other] = [privateField<number>(), privateField<number>()];
    const object = {};
    one.set(object, 1);
    expect(other.get(object)).toBeUndefined();
  });

  it.each([
    ['a frozen object', Object.freeze({})],
    ['a sealed object', Object.seal({})],
    ['a function', () => undefined],
    ['a Proxy', new Proxy({}, {})],
    ['a revoked Proxy', revoked()],
  ])('can be given to %s', (_name, object) => {
    const field = privateField<number>();
    expect(field.get(object)).toBeUndefined();
    field.set(object, 1);
    field.set(object, 2);
    expect(field.get(object)).toBe(2);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
