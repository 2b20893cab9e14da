import { expect, test } from 'vitest';
import {
  panBy,
  settleView,
  toggleZoom,
  transformOf,
  wholePicture,
  zoomBy,
  type Offset,
  type View,
} from '../../../src-renderer/review/zoom.ts';

const picture = { width: 4000, height: 2000 };
const fitted = { width: 800, height: 400 };
const stage = { width: 900, height: 600 };
const middle = { x: 0, y: 0 };

/** Where on the stage a point of the picture shows. */
function placeOf(view: View, point: Offset): Offset {
  return {
    x: (point.x - view.x) * fitted.width * view.zoom,
    y: (point.y - view.y) * fitted.height * view.zoom,
  };
}

test('what lies under the pointer stays there while the zoom changes', () => {
  const at = { x: 200, y: -100 };
  const near = zoomBy({ zoom: 2, x: 0.4, y: 0.6 }, 1.5, at, picture, fitted);
  // At twice the size, 200 px right of the middle is an eighth of the width.
  const place = placeOf(near, { x: 0.4 + 0.125, y: 0.6 - 0.125 });
  expect([near.zoom, place.x, place.y].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([3, 200, -100]);
});

test('the zoom ends at the whole picture and at eight times its pixels', () => {
  expect(zoomBy(wholePicture, 0.1, middle, picture, fitted).zoom).toBe(1);
  expect(zoomBy(wholePicture, 1000, middle, picture, fitted).zoom).toBe(40);
  const tiny = { width: 32, height: 32 };
  const enlarged = { width: 560, height: 560 };
  expect(zoomBy(wholePicture, 1000, middle, tiny, enlarged).zoom).toBe(8);
});

test('a close look shows the own pixels, or twice the size where they are nearly those, and ends in the whole', () => {
  const close = toggleZoom(wholePicture, middle, picture, fitted);
  expect(close).toEqual({ zoom: 5, x: 0.5, y: 0.5 });
  expect(toggleZoom(close, middle, picture, fitted)).toEqual(wholePicture);
  expect(toggleZoom(wholePicture, middle, { width: 900, height: 450 }, fitted).zoom).toBe(2);
});

test('the picture follows a drag', () => {
  const before = { zoom: 4, x: 0.5, y: 0.5 };
  const place = placeOf(panBy(before, { x: 320, y: -160 }, fitted), { x: 0.5, y: 0.5 });
  expect([place.x, place.y].map(Math.round)).toEqual([320, -160]);
});

test('no side of the stage stays empty while there is more of the picture on the other', () => {
  expect(settleView({ zoom: 4, x: 0, y: 1 }, fitted, stage)).toEqual({ zoom: 4, x: 900 / 6400, y: 1 - 600 / 3200 });
  expect(settleView({ zoom: 1.2, x: 0.1, y: 0.1 }, fitted, stage)).toEqual({ zoom: 1.2, x: 450 / 960, y: 0.5 });
});

test('the whole picture needs no transform', () => {
  expect(transformOf(wholePicture, fitted)).toBe('translate(0px, 0px) scale(1)');
});
