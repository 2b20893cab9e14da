import type { Evaluation } from '../../../shared/domain.ts';
import { evaluationRows } from './commands/evaluate.ts';
import { formatCount, formatNumber, formatPercent } from './text.ts';

export interface ReportPicture {
  file: string;
  given: string;
  suggested: string;
  truth: string;
  score: number;
  /** Base64 of the thumbnail, with its content type. */
  image: { contentType: string; base64: string };
}

export interface Report {
  evaluation: Evaluation;
  /** Wrong labels before and after the sure suggestions were accepted. */
  wrongBefore: number;
  wrongAfter: number;
  accepted: number;
  /** Worst first. */
  pictures: ReportPicture[];
}

/** One page that needs nothing beside itself: pictures are inside it. */
export function renderReport({ evaluation, wrongBefore, wrongAfter, accepted, pictures }: Report): string {
  const { samples } = evaluation;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Winnow: what was found</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>What Winnow found</h1>
<p class="lead">${formatNumber(samples)} pictures were drawn, and ${formatNumber(wrongBefore)} of them
(${formatPercent(wrongBefore / samples)}) got a wrong label on purpose. Winnow was not told which.
It accepted ${formatCount(accepted, 'suggestion')} that it was sure of; ${formatNumber(wrongAfter)} wrong labels
(${formatPercent(wrongAfter / samples)}) are left.</p>
<table>
<tbody>
${evaluationRows(evaluation)
  .map(
    ([name, value, meaning]) =>
      `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td><td>${escapeHtml(meaning)}</td></tr>`,
  )
  .join('\n')}
</tbody>
</table>
<h2>The ${formatNumber(pictures.length)} labels it doubts most</h2>
<ol>
${pictures.map(pictureItem).join('\n')}
</ol>
</main>
</body>
</html>
`;
}

function pictureItem({ file, given, suggested, truth, score, image }: ReportPicture): string {
  const isWrong = given !== truth;
  const verdict = !isWrong
    ? 'The given label is right.'
    : suggested === truth
      ? 'Wrong, and the suggestion is right.'
      : `Wrong; it is ${truth}.`;
  return `<li class="${isWrong ? 'wrong' : 'right'}">
<img src="data:${image.contentType};base64,${image.base64}" alt="${escapeHtml(file)}">
<p><del>${escapeHtml(given)}</del> → <b>${escapeHtml(suggested)}</b></p>
<p>${escapeHtml(verdict)} Score ${score.toFixed(3)}.</p>
</li>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.5rem; }
.lead { max-width: 46rem; font-size: 1.1rem; }
table { border-collapse: collapse; margin: 1.5rem 0; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
th { font-weight: 500; }
td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
ol { list-style: none; padding: 0; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); }
li { border-radius: .5rem; padding: .75rem; background: color-mix(in srgb, currentColor 5%, transparent); border-top: 4px solid; }
li.wrong { border-color: #1a7f4b; }
li.right { border-color: #b45309; }
li img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; }
li p { margin: .35rem 0 0; font-size: .9rem; }
`;
