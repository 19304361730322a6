import { isFunction, isIdentifier, keyName, unwrap, type Node, type Source } from '../code/node';
import { variableOf } from '../code/origin';

/** The functions of this file that `controller.method` or `this.method` stands for. */
export function memberFunctions(member: Node, source: Source): Node[] {
  const name = keyName(member);
  const object = member.object && unwrap(member.object);
  if (name === undefined || object === undefined) return [];
  const holder = object.type === 'ThisExpression' ? classAround(member) : holderOf(object, source);
  return (membersOf(holder) ?? []).flatMap((each) => {
    const value = each.value as Node | null | undefined;
    return keyName(each) === name && isFunction(value) ? [value] : [];
  });
}

function classAround(node: Node): Node | undefined {
  let outer: Node | undefined = node;
  while (outer != null && outer.type !== 'ClassBody') outer = outer.parent ?? undefined;
  return outer?.parent;
}

/** The object literal or the class that a variable holds: `const users = new UsersController()`. */
function holderOf(object: Node, source: Source): Node | undefined {
  if (object.type === 'NewExpression' && isIdentifier(object.callee)) return holderOf(object.callee, source);
  if (!isIdentifier(object)) return undefined;
  const def = variableOf(object, source)?.defs[0];
  if (def?.type === 'ClassName') return def.node;
  const init = def?.type === 'Variable' ? def.node.init : undefined;
  if (init == null) return undefined;
  return init.type === 'NewExpression' ? holderOf(init, source) : init;
}

function membersOf(holder: Node | undefined): Node[] | undefined {
  if (holder?.type === 'ObjectExpression') return holder.properties;
  const body = holder?.type.startsWith('Class') === true ? (holder.body as Node) : undefined;
  return body?.body as Node[] | undefined;
}
