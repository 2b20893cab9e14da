/* The part of the map that is in sight. World coordinates run from −1 to 1, y upwards; screen coordinates are CSS px from the top left. */

export interface MapView {
  /** World point in the middle of the screen. */
  x: number;
  y: number;
  /** log2 of the px that one world unit takes. */
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Levels beyond the whole map to which one can zoom in. */
const deepest = 12;

/** The view that shows the whole map with a margin. */
export function fitView({ width, height }: Size): MapView {
  return { x: 0, y: 0, zoom: Math.log2(Math.max(1, Math.min(width, height) * 0.94) / 2) };
}

/** Zooms by `levels` around a point of the screen, within sensible bounds. */
export function zoomAt(view: MapView, size: Size, levels: number, at: { x: number; y: number }): MapView {
  const least = fitView(size).zoom - 1;
  const zoom = Math.max(least, Math.min(least + deepest, view.zoom + levels));
  const before = toWorld(view, size, at);
  const after = toWorld({ ...view, zoom }, size, at);
  return { x: view.x + before.x - after.x, y: view.y + before.y - after.y, zoom };
}

/** Moves the view by a part of its size; never so far that nothing of the map is left in sight. */
export function panBy(view: MapView, size: Size, across: number, down: number): MapView {
  const scale = 2 ** view.zoom;
  return {
    ...view,
    x: clamp(view.x + (across * size.width) / scale),
    y: clamp(view.y - (down * size.height) / scale),
  };
}

export function toWorld(view: MapView, size: Size, at: { x: number; y: number }): { x: number; y: number } {
  const scale = 2 ** view.zoom;
  return { x: view.x + (at.x - size.width / 2) / scale, y: view.y - (at.y - size.height / 2) / scale };
}

export function toScreen(view: MapView, size: Size, x: number, y: number): { x: number; y: number } {
  const scale = 2 ** view.zoom;
  return { x: (x - view.x) * scale + size.width / 2, y: size.height / 2 - (y - view.y) * scale };
}

/** The corners of what is in sight as a closed line: x0, y0, x1, y1, … */
export function viewRegion(view: MapView, size: Size): number[] {
  const { x: left, y: top } = toWorld(view, size, { x: 0, y: 0 });
  const { x: right, y: bottom } = toWorld(view, size, { x: size.width, y: size.height });
  return [left, top, right, top, right, bottom, left, bottom];
}

/** Radius of a point in px: small where there are many, growing slowly as one goes nearer. */
export function pointRadius(points: number, view: MapView, size: Size): number {
  const base = points > 300_000 ? 1 : points > 50_000 ? 1.5 : points > 5000 ? 2.2 : 3.2;
  return Math.min(9, base * 2 ** (0.45 * Math.max(0, view.zoom - fitView(size).zoom)));
}

function clamp(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
