// Elements. Whatever comes from the report becomes text or an attribute, never markup.

/** @typedef {Node | string | undefined} Child */

/**
 * Makes an element; there is no way to hand it markup.
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {Child | Child[]} [children]
 */
export function el(name, attributes = {}, children = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...[children].flat().filter((child) => child !== undefined));
  return element;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {Node[]} [children]
 */
export function svg(name, attributes, children = []) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`there is no element ${id}`);
  return element;
}

/**
 * A part of a bar; its share is set by script, because the policy of the page allows no style in markup.
 * @param {string} className
 * @param {number} share
 */
export function part(className, share) {
  const element = el('i', { class: className });
  element.style.width = `${(Math.max(0, Math.min(1, share)) * 100).toFixed(2)}%`;
  return element;
}

/** @param {Child[]} parts */
export function bar(parts) {
  return el('div', { class: 'bar', 'aria-hidden': 'true' }, parts);
}

/**
 * What a route is called: by its pattern only, for a path is the client's.
 * @param {string | undefined} method
 * @param {string | undefined} route
 */
export function routeName(method = '', route = undefined) {
  return [
    el('span', { class: 'method' }, method),
    // Without it a screen reader says both in one word.
    ' ',
    route === undefined ? el('span', { class: 'soft' }, 'no route') : el('code', {}, route),
  ];
}

/**
 * @param {readonly (readonly [label: string, isNumber: boolean, name?: string])[]} head - `name` where the label alone says
 *   too little to who hears it without its neighbours
 * @param {Node[]} rows
 */
export function tableParts(head, rows) {
  const cells = head.map(([label, isNumber, name]) =>
    el(
      'th',
      { scope: 'col', ...(isNumber && { class: 'number' }), ...(name && { 'aria-label': name }) },
      label,
    ),
  );
  return [el('thead', {}, [el('tr', {}, cells)]), el('tbody', {}, rows)];
}

/**
 * A row that says what the others do not.
 * @param {string} words
 */
export function noteRow(words) {
  return el('tr', {}, [el('td', { class: 'empty', colspan: '10' }, words)]);
}

/** @param {string} words */
export function emptyTable(words) {
  return [el('tbody', {}, [noteRow(words)])];
}

/** @type {Map<string, string>} */
const drawn = new Map();

/**
 * Draws a part of the page again only if what it shows has changed: selections and the reader's place stay.
 * @param {string} id
 * @param {unknown} data
 * @param {() => Node[]} children
 */
export function draw(id, data, children) {
  const key = JSON.stringify(data);
  if (drawn.get(id) === key) return;
  drawn.set(id, key);
  byId(id).replaceChildren(...children());
}

/** @type {Map<Element, Map<string, { element: HTMLElement, data: string }>>} */
const rowsOf = new Map();

/**
 * Draws a list again: the row of an entry stays the same element, and only its contents change. So nothing is drawn again
 * that looks the same, and a link in a row keeps the keyboard's focus, even if the row goes to another place.
 * @template Entry
 * @param {string} id
 * @param {readonly Entry[]} entries
 * @param {(entry: Entry) => unknown} keyOf - tells an entry from the others, in every report alike
 * @param {(entry: Entry) => Child[]} contents
 * @param {(string | false)[]} notes - below the rows
 */
export function drawRows(id, entries, keyOf, contents, notes) {
  const list = byId(id);
  const known = rowsOf.get(list) ?? new Map();
  const focused = [...known.values()].find(({ element }) =>
    element.contains(document.activeElement),
  )?.element;
  const rows = new Map();
  for (const entry of entries) {
    const key = JSON.stringify(keyOf(entry));
    const data = JSON.stringify(entry);
    const row = known.get(key) ?? { element: el('li'), data: '' };
    if (row.data !== data) row.element.replaceChildren(...el('li', {}, contents(entry)).childNodes);
    rows.set(key, { element: row.element, data });
  }
  rowsOf.set(list, rows);
  const elements = [...rows.values()].map(({ element }) => element);
  elements.push(...notesOf(notes));
  arrange(list, elements);
  if (focused && !focused.contains(document.activeElement))
    focused.querySelector('a')?.focus({ preventScroll: true });
}

/**
 * @param {(string | false)[]} notes
 * @returns {HTMLElement[]}
 */
export function notesOf(notes) {
  return notes.flatMap((note) => (note === false ? [] : [el('li', { class: 'empty' }, note)]));
}

/**
 * Moves no element that is in its place: one that is taken out for a moment loses the focus.
 * @param {Element} list
 * @param {Element[]} elements
 */
export function arrange(list, elements) {
  const wanted = new Set(elements);
  for (const element of [...list.children]) if (!wanted.has(element)) element.remove();
  let next = list.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}

/**
 * Whether an entry of the report holds what the reader is looking for, in any of its texts.
 * @param {unknown} entry
 * @param {string} wanted
 */
export function matches(entry, wanted) {
  return wanted === '' || JSON.stringify(entry).toLowerCase().includes(wanted);
}
