// What is wrong with the page of `bench --html` as it is shown now. Runs in the browser.

/** @returns {{ layout: string[], plots: string[], contrast: string[], markup: string[], back: string }} */
export function problemsOnPage() {
  const found = { layout: [], plots: [], contrast: [], markup: [] };
  const style = (element) => getComputedStyle(element);
  const luminance = (color) => {
    const [r, g, b] = color
      .match(/[\d.]+/g)
      .map(Number)
      .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const say = (wrong, kind, text) => wrong && found[kind].push(text);
  const back = style(document.body).backgroundColor;

  say(document.documentElement.scrollWidth > innerWidth, 'layout', 'it is wider than the window');
  const plots = [...document.querySelectorAll('figure svg')];
  // Four paths against plain TCP, and fourteen shapes.
  say(plots.length !== 18, 'plots', `there are ${plots.length}`);
  for (const plot of plots) {
    const name = plot.querySelector('title').textContent;
    const figure = plot.closest('figure');
    const outer = plot.getBoundingClientRect();
    const marks = [...plot.querySelectorAll('.mark, .bar')];
    const texts = [...plot.querySelectorAll('text')];
    const paper = style(figure).backgroundColor;
    const scale = outer.width / plot.viewBox.baseVal.width;

    say(outer.width < 250 || outer.height < 100, 'layout', `${name}: only ${outer.width} by ${outer.height}`);
    say(marks.length < 4, 'plots', `${name}: nothing is drawn`);
    say(!['img', 'group'].includes(plot.getAttribute('role')), 'plots', `${name}: no role`);
    say(figure.querySelectorAll('tbody tr').length < 5, 'plots', `${name}: no table beside it`);
    for (const id of plot.getAttribute('aria-labelledby').split(' '))
      say(!document.getElementById(id)?.textContent, 'plots', `${name}: no ${id}`);

    for (const mark of [...marks, ...texts]) {
      const { width, left, right } = mark.getBoundingClientRect();
      const cut = width === 0 || left < outer.left - 2 || right > outer.right + 2;
      say(cut, 'layout', `${name}: ${mark.outerHTML} is cut off`);
    }
    // Labels of one row must not run into each other.
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    const over = boxes.some((a, index) => boxes.slice(index + 1).some((b) => meet(a, b)));
    say(over, 'layout', `${name}: text over text`);
    for (const text of texts) {
      const small = Number.parseFloat(style(text).fontSize) * scale < 10;
      say(small, 'layout', `${name}: "${text.textContent}" is too small`);
      say(contrast(style(text).fill, paper) < 4.5, 'contrast', `${name}: "${text.textContent}"`);
    }
    for (const mark of marks) say(contrast(style(mark).fill, paper) < 3, 'contrast', `${name}: a mark`);
  }
  for (const text of document.querySelectorAll('p, li, h1, h2, summary'))
    say(contrast(style(text).color, back) < 4.5 && !text.matches('.caveat'), 'contrast', `"${text.textContent}"`);
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  say(new Set(ids).size !== ids.length, 'markup', 'an id is there twice');
  for (const name of ['script', 'b', 'i'])
    say(document.querySelector(name) !== null, 'markup', `text became <${name}>`);
  return { ...found, back };
}

/** The name of what has the focus, as a screen reader would say it, and whether one sees that it has it. */
export function focused() {
  const { activeElement: active } = document;
  if (active === document.body) return undefined;
  const { outlineStyle, outlineWidth } = getComputedStyle(active);
  const seen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0;
  return { name: active.getAttribute('aria-label') ?? active.textContent, seen };
}
