/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Elements, made and found. Text becomes a text node and nothing else: this is the one place where the page makes
// content, and it never parses markup.

type Attributes = Readonly<Record<string, string | number | boolean>>;
type Child = Node | string | null;

const SVG = 'http://www.w3.org/2000/svg';

/** `class`, `aria-…` and the like as attributes; `true` is an empty one, `false` none. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return filled(document.createElement(name), attributes, children);
}

export function s<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** What the page's own shell has; that it lacks it is a bug. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as Type;
}

/** Writes only what is new: a step touches as little of the page as it can. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(element: Element, name: string, isSet: boolean): void {
  if (element.classList.contains(name) !== isSet) element.classList.toggle(name, isSet);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}
