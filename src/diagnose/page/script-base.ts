/** Elements and words. Whatever comes from the report becomes text or an attribute, never markup. */
export const SCRIPT_BASE = String.raw`
/** Makes an element; 'children' are elements and texts. There is no way to hand it markup. */
function el(name, attributes, children) {
  const element = document.createElement(name);
  for (const key of Object.keys(attributes || {})) element.setAttribute(key, attributes[key]);
  element.append(...[].concat(children === undefined ? [] : children).filter((child) => child !== undefined));
  return element;
}

function svg(name, attributes, children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
  element.append(...(children || []));
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

/** A part of a bar; its share is set by script, because the policy of the page allows no style in markup. */
function part(className, share) {
  const element = el('i', { class: className });
  element.style.width = (Math.max(0, Math.min(1, share)) * 100).toFixed(2) + '%';
  return element;
}

function bar(parts) {
  return el('div', { class: 'bar', 'aria-hidden': 'true' }, parts);
}

function duration(ms) {
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 120000) return Number((ms / 1000).toFixed(ms < 10000 ? 1 : 0)) + ' s';
  return Number((ms / 60000).toFixed(1)) + ' min';
}

function clock(at) {
  return new Date(at).toLocaleTimeString();
}

function count(number, one, many) {
  return number + ' ' + (number === 1 ? one : many);
}

/** What a route is called: by its pattern only, for a path is the client's. */
function routeName(method, route) {
  return [
    el('span', { class: 'method' }, method || ''),
    route === undefined ? el('span', { class: 'soft' }, 'no route yet') : el('code', {}, route),
  ];
}

const rendered = new Map();

/** Draws a part of the page again only if what it shows has changed: selections and the reader's place stay. */
function draw(id, data, children) {
  const key = JSON.stringify(data);
  if (rendered.get(id) === key) return;
  rendered.set(id, key);
  byId(id).replaceChildren(...children());
}
`;
