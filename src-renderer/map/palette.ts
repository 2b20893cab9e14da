import type { PointPalette } from './point-colors.ts';

/* Colours of points that mean no class; of a middle lightness, so that they can be told apart on the stage of both themes. */

export const pointPalette: Omit<PointPalette, 'classes'> = {
  // In the order of `reviewStates`: unreviewed, confirmed, relabeled, dropped, skipped.
  states: [
    [128, 128, 128],
    [46, 150, 82],
    [214, 148, 24],
    [206, 66, 58],
    [84, 128, 214],
  ],
  ramp: [
    [112, 122, 134],
    [226, 112, 20],
  ],
  none: [128, 128, 128],
};
