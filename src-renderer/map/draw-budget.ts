/*
 * How many points are drawn while the map moves. Their order is random, so the first part of them shows the same shape; when it comes
 * to rest, all are drawn. A card that can draw a million points in a frame always does.
 */

/** Fewest points that still show the shape of a map. */
const fewest = 20_000;
/** A frame longer than this was late at 60 per second, ms. */
const late = 19;
/** A frame shorter than this leaves room for more, ms. */
const early = 17.5;

/** The number for the next frame, from the time that the last one took. */
export function nextBudget(budget: number, frameMs: number, points: number): number {
  if (points <= fewest) return points;
  if (frameMs > late) return Math.max(fewest, Math.round(budget * Math.max(0.4, (0.9 * late) / frameMs)));
  if (frameMs < early) return Math.min(points, Math.round(budget * 1.15));
  return budget;
}

/** Longest frame that is put up with once the map rests, ms. */
const restingFrame = 350;

/** The number that is drawn at rest, judged by a frame of `frameMs` with `budget` points: nearly always all. */
export function restingCount(budget: number, frameMs: number, points: number): number {
  const msPerPoint = Math.max(0, frameMs - early) / Math.max(1, Math.min(budget, points));
  return msPerPoint === 0
    ? points
    : Math.max(Math.min(points, fewest), Math.min(points, Math.round(restingFrame / msPerPoint)));
}
