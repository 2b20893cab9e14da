import { Deck, OrthographicView } from '@deck.gl/core';
import { ScatterplotLayer } from '@deck.gl/layers';
import type { MapView } from './view.ts';

/*
 * The WebGL side of the map: points in, pixels out. What is in sight, and why, is decided outside. Loaded only when the map is opened.
 */

export interface ScatterFrame {
  view: MapView;
  /** `[n, 2]` */
  positions: Float32Array;
  /** RGBA. `[n, 4]` */
  colors: Uint8Array;
  /** How many of the points are drawn, from the first on. */
  drawn: number;
  /** px */
  radius: number;
}

export interface Scatter {
  draw(frame: ScatterFrame): void;
  destroy(): void;
}

/** Throws when the browser gives no WebGL 2. */
export function createScatter(canvas: HTMLCanvasElement, onError: (error: Error) => void): Scatter {
  const deck = new Deck({
    canvas,
    // The canvas is laid out by CSS.
    width: '100%',
    height: '100%',
    views: new OrthographicView({ flipY: false }),
    viewState: { target: [0, 0], zoom: 0 },
    controller: false,
    layers: [],
    onError,
  });
  return {
    draw({ view, positions, colors, drawn, radius }) {
      deck.setProps({
        viewState: { target: [view.x, view.y], zoom: view.zoom },
        layers: [
          new ScatterplotLayer({
            id: 'points',
            // Typed arrays go to the card as they are; a new array is what tells that they changed.
            data: {
              length: positions.length / 2,
              attributes: {
                getPosition: { value: positions, size: 2 },
                getFillColor: { value: colors, size: 4, normalized: true },
              },
            },
            numInstances: drawn,
            getRadius: 1,
            radiusUnits: 'pixels',
            radiusScale: radius,
            stroked: false,
            antialiasing: false,
            pickable: false,
          }),
        ],
      });
    },
    destroy: () => deck.finalize(),
  };
}
