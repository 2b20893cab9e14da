import type { ChartTheme } from './chart.ts';

/** A picture of a chart that can stand alone: with its title, on the ground that its colours were chosen for. */
export interface ChartFile {
  svg: string;
  width: number;
  height: number;
}

const edge = 24;
const top = 60;

/** `chart` is the SVG document of the chart alone. */
export function frameChart(title: string, chart: ChartFile, theme: ChartTheme): ChartFile {
  const width = chart.width + 2 * edge;
  const height = chart.height + top + edge;
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="${theme.ground}"/>`,
    `<text x="${edge}" y="38" fill="${theme.text}" font-family="${theme.font}" font-size="16" font-weight="600">${escapeText(title)}</text>`,
    chart.svg.replace('<svg ', `<svg x="${edge}" y="${top}" `),
    '</svg>',
  ];
  return { svg: svg.join('\n'), width, height };
}

/** Draws it into a PNG; `scale` is pixels per unit. */
export async function toPng({ svg, width, height }: ChartFile, scale: number): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob === null ? reject(new Error('The picture is too large.')) : resolve(blob)));
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Hands a file to the person, where the browser or Electron saves downloads. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the content once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A name that every file system takes: "Cats & dogs", "Noise per class" give "cats-dogs-noise-per-class". */
export function fileNameOf(...parts: string[]): string {
  return parts
    .join(' ')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
