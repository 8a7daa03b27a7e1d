/// <reference lib="dom" />
// Contrast as WCAG 2 defines it, of every text that is seen in a page against what is behind it. Runs in the page.

export interface Weak {
  readonly text: string;
  readonly ratio: number;
  readonly colours: string;
}

/** Texts whose contrast is under 4.5 (3 for large ones); self-contained, because it is sent to the browser. */
export function weakTexts(): { readonly checked: number; readonly weak: Weak[] } {
  type Rgba = readonly [number, number, number, number];
  const parse = (colour: string): Rgba => {
    const [r = 0, g = 0, b = 0, a = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return colour === 'none' ? [0, 0, 0, 0] : [r, g, b, a];
  };
  const over = (top: Rgba, under: Rgba): Rgba => {
    const mix = (n: 0 | 1 | 2) => top[n] * top[3] + under[n] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const luminance = ([r, g, b]: Rgba): number => {
    const linear = (value: number) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const backOf = (element: Element): Rgba => {
    const layers: Rgba[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      layers.push(parse(getComputedStyle(at).backgroundColor));
      // What is drawn: the box of the state, or the ground of the chart.
      const box = at.querySelector(':scope > rect.box, :scope > rect.chip, :scope > rect.ground');
      if (at instanceof SVGElement && box !== null) layers.push(parse(getComputedStyle(box).fill));
    }
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255, 1] as Rgba);
  };
  const weak: Weak[] = [];
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim() ?? '';
    if (
      element === null ||
      text === '' ||
      element.closest('script, style, template, title, noscript, :disabled')
    )
      continue;
    const style = getComputedStyle(element);
    if (element.getClientRects().length === 0 || style.visibility === 'hidden') continue;
    const isDrawn = element instanceof SVGElement;
    const back = backOf(element);
    const ink = over(parse(isDrawn ? style.fill : style.color), back);
    const [light, dark] = [luminance(ink), luminance(back)].sort((a, b) => b - a) as [number, number];
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    checked += 1;
    if (ratio < (isLarge ? 3 : 4.5)) {
      weak.push({
        text: text.slice(0, 40),
        ratio,
        colours: `${ink.map(Math.round)} on ${back.map(Math.round)}`,
      });
    }
  }
  return { checked, weak };
}
