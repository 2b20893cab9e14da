/*
 * What is seen of a picture: how large, and which point of it lies in the middle of the stage. Both are relative to the picture, so
 * that the same view shows the same part of the next picture, whatever its size.
 */

export interface View {
  /** 1 is the whole picture. */
  zoom: number;
  /** The point in the middle, as shares of width and height. */
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** An offset from the middle of the stage, px. */
export interface Offset {
  x: number;
  y: number;
}

export const wholePicture: View = { zoom: 1, x: 0.5, y: 0.5 };

/** Pixels may be shown this many times their size; a picture that is small anyway, this many times as large as it fits. */
const mostZoom = 8;
/** A close look is at least this much closer than the whole picture. */
const leastCloseUp = 2;

/** Multiplies the zoom and keeps what lies at `at` where it is. `fitted`: the size at which the whole picture shows. */
export function zoomBy(view: View, factor: number, at: Offset, picture: Size, fitted: Size): View {
  const zoom = Math.max(1, Math.min(largestZoom(picture, fitted), view.zoom * factor));
  const moved = 1 / view.zoom - 1 / zoom;
  return {
    zoom,
    x: view.x + (at.x / fitted.width) * moved,
    y: view.y + (at.y / fitted.height) * moved,
  };
}

/** From the whole picture to its own pixels, and back to the whole. */
export function toggleZoom(view: View, at: Offset, picture: Size, fitted: Size): View {
  if (view.zoom > 1) return wholePicture;
  return zoomBy(view, Math.max(leastCloseUp, picture.width / fitted.width), at, picture, fitted);
}

/** Moves the picture by an offset on the stage. */
export function panBy(view: View, by: Offset, fitted: Size): View {
  return {
    ...view,
    x: view.x - by.x / (fitted.width * view.zoom),
    y: view.y - by.y / (fitted.height * view.zoom),
  };
}

/** The nearest view without empty stage on one side and more of the picture on the other. */
export function settleView(view: View, fitted: Size, stage: Size): View {
  return {
    zoom: view.zoom,
    x: settle(view.x, stage.width / (fitted.width * view.zoom)),
    y: settle(view.y, stage.height / (fitted.height * view.zoom)),
  };
}

/** As a CSS transform of a picture of the fitted size in the middle of the stage. */
export function transformOf(view: View, fitted: Size): string {
  const left = (0.5 - view.x) * fitted.width * view.zoom;
  const top = (0.5 - view.y) * fitted.height * view.zoom;
  return `translate(${left}px, ${top}px) scale(${view.zoom})`;
}

function largestZoom(picture: Size, fitted: Size): number {
  return mostZoom * Math.max(1, picture.width / fitted.width);
}

/** `seen`: the share of the picture that the stage can show, more than 1 when it fits. */
function settle(middle: number, seen: number): number {
  return seen >= 1 ? 0.5 : Math.max(seen / 2, Math.min(1 - seen / 2, middle));
}
