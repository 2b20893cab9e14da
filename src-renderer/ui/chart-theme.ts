import type { ChartTheme } from './chart.ts';

const tokens = {
  ground: '--surface-panel',
  raised: '--surface-raised',
  control: '--surface-control',
  line: '--line',
  lineStrong: '--line-strong',
  text: '--text',
  muted: '--text-muted',
  accent: '--accent',
} as const;

/** The tokens as they are now: a canvas or an SVG file cannot read `light-dark()`. */
export function readChartTheme(): ChartTheme {
  const probe = document.createElement('span');
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const colors = Object.entries(tokens).map(([name, token]) => {
    probe.style.color = `var(${token})`;
    return [name, style.color];
  });
  const font = style.fontFamily.replaceAll('"', '');
  probe.remove();
  return { ...(Object.fromEntries(colors) as Record<keyof typeof tokens, string>), font };
}

/** Tells when light and dark change places, until the returned function is called. */
export function watchChartTheme(onchange: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(onchange);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  dark.addEventListener('change', onchange);
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', onchange);
  };
}
