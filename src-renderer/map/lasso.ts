/* A line drawn by hand around points. */

/** Shortest step between two corners that is kept, px. */
const shortestStep = 5;
/** Area in px² below which it was a click, not a line around something. */
const smallestArea = 60;

/** Adds a point of the screen to the line, unless it is too near the last one. */
export function extendLasso(line: readonly number[], x: number, y: number): readonly number[] {
  const [lastX, lastY] = [line.at(-2), line.at(-1)];
  if (lastX !== undefined && lastY !== undefined && Math.hypot(x - lastX, y - lastY) < shortestStep) return line;
  return [...line, x, y];
}

/** Whether the line encloses anything that a person can have meant. */
export function enclosesArea(line: readonly number[]): boolean {
  let twice = 0;
  for (let index = 0; index < line.length; index += 2) {
    const next = (index + 2) % line.length;
    twice += line[index]! * line[next + 1]! - line[next]! * line[index + 1]!;
  }
  return line.length >= 6 && Math.abs(twice) / 2 > smallestArea;
}
