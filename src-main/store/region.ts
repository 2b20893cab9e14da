/** A closed line in the plane: x0, y0, x1, y1, … */
export type Outline = readonly number[];

/**
 * Whether points lie inside a line that may cross itself: those are inside from which a ray meets it an odd number of times. Asked of
 * every point of a map, so the line's edges are sorted into bands by height, and a point is tried against those of its own band.
 */
export function insideOf(outline: Outline): (x: number, y: number) => boolean {
  const corners = outline.length >> 1;
  const xs = Float64Array.from({ length: corners }, (_, i) => outline[2 * i]!);
  const ys = Float64Array.from({ length: corners }, (_, i) => outline[2 * i + 1]!);
  const [left, right, bottom, top] = [least(xs), greatest(xs), least(ys), greatest(ys)];
  const bandOf = (y: number): number =>
    Math.min(bandCount - 1, Math.floor(((y - bottom) / (top - bottom)) * bandCount));
  const bands = Array.from({ length: bandCount }, (): number[] => []);
  for (let i = 0; i < corners && top > bottom; i++) {
    const next = (i + 1) % corners;
    const last = bandOf(Math.max(ys[i]!, ys[next]!));
    for (let band = bandOf(Math.min(ys[i]!, ys[next]!)); band <= last; band++) bands[band]!.push(i);
  }
  return (x, y) => {
    if (!(x >= left && x <= right && y >= bottom && y <= top) || top === bottom) return false;
    let inside = false;
    for (const i of bands[bandOf(y)]!) {
      const next = (i + 1) % corners;
      const [x0, y0, x1, y1] = [xs[i]!, ys[i]!, xs[next]!, ys[next]!];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
    }
    return inside;
  };
}

const bandCount = 256;

function least(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function greatest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
