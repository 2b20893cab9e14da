import KDBush from 'kdbush';
import type { ReviewChange } from '../../shared/api.ts';
import { reviewStates, type EmbeddingMap, type SampleId } from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import type { ColorBy } from './point-colors.ts';
import { fitView, toWorld, type MapView, type Size } from './view.ts';

export type MapStatus =
  | { kind: 'loading' }
  | { kind: 'preparing'; done: number; total: number }
  | { kind: 'unavailable'; reason: string }
  | { kind: 'failed'; message: string }
  | { kind: 'ready' };

/** A point is found under the pointer up to this far from it, px. */
const reach = 14;

/** The points of the map, what is in sight of them, and how they are coloured. */
export class MapState {
  status = $state.raw<MapStatus>({ kind: 'loading' });
  data = $state.raw<EmbeddingMap | null>(null);
  /** Counts up when states of points have changed in place. */
  changes = $state(0);
  colorBy = $state<ColorBy>('given');
  size = $state.raw<Size>({ width: 0, height: 0 });
  /** Null shows the whole map. */
  ownView = $state.raw<MapView | null>(null);
  readonly view = $derived(this.ownView ?? fitView(this.size));

  readonly #app: AppState;
  #index: KDBush | null = null;
  /** By sample id, the point's index plus 1. */
  #points: Uint32Array = new Uint32Array(0);

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Loads the map, waits for it where it has to be made, and follows decisions, until the returned function is called. */
  listen(): () => void {
    const stops = [
      subscribeTo(this.#app.transport, 'preparation', ({ what, done, total, finished }) => {
        if (what !== 'map') return;
        if (finished) void this.load();
        else if (this.data === null) this.status = { kind: 'preparing', done, total };
      }),
      subscribeTo(this.#app.transport, 'training', (event) => {
        if (event.kind === 'ended') void this.load();
      }),
      subscribeTo(this.#app.transport, 'reviewChanged', (change) => this.#apply(change)),
    ];
    void this.load();
    return () => {
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    const result = await this.#app.client.getMap({});
    if (!result.ok) {
      this.status = { kind: 'failed', message: result.error.message };
      return;
    }
    const map = result.value;
    if (map.status === 'preparing') this.status = { kind: 'preparing', done: map.done, total: map.total };
    else if (map.status === 'unavailable') this.status = { kind: 'unavailable', reason: map.reason };
    else {
      this.#setData(map.value);
      this.status = { kind: 'ready' };
    }
  }

  /** The sample nearest to a point of the screen; null when none is near. */
  sampleAt(at: { x: number; y: number }): SampleId | null {
    const { data } = this;
    if (data === null || this.#index === null) return null;
    const { x, y } = toWorld(this.view, this.size, at);
    const distance = (point: number): number =>
      Math.hypot(data.positions[2 * point]! - x, data.positions[2 * point + 1]! - y);
    const [first, ...others] = this.#index.within(x, y, reach / 2 ** this.view.zoom);
    if (first === undefined) return null;
    const nearest = others.reduce((best, point) => (distance(point) < distance(best) ? point : best), first);
    return data.ids[nearest]!;
  }

  /** Indexes of the points in sight, where they are not more than `most`; else null. */
  pointsInSight(most: number): number[] | null {
    if (this.#index === null || this.data === null) return null;
    const corner = toWorld(this.view, this.size, { x: 0, y: this.size.height });
    const opposite = toWorld(this.view, this.size, { x: this.size.width, y: 0 });
    // A guess from the area keeps the search from listing a million points at every frame.
    const share = ((opposite.x - corner.x) * (opposite.y - corner.y)) / 4;
    if (share * this.data.ids.length > 40 * most) return null;
    const points = this.#index.range(corner.x, corner.y, opposite.x, opposite.y);
    return points.length > most ? null : points;
  }

  positionOf(id: SampleId): { x: number; y: number } | null {
    const point = (this.#points[id] ?? 0) - 1;
    if (this.data === null || point < 0) return null;
    return { x: this.data.positions[2 * point]!, y: this.data.positions[2 * point + 1]! };
  }

  #setData(data: EmbeddingMap): void {
    const index = new KDBush(data.ids.length, 64, Float32Array);
    const points = new Uint32Array(data.ids.reduce((largest, id) => Math.max(largest, id), 0) + 1);
    for (let point = 0; point < data.ids.length; point += 1) {
      index.add(data.positions[2 * point]!, data.positions[2 * point + 1]!);
      points[data.ids[point]!] = point + 1;
    }
    index.finish();
    this.#index = index;
    this.#points = points;
    this.data = data;
  }

  #apply(change: ReviewChange): void {
    if (change.everything) {
      void this.load();
      return;
    }
    if (this.data === null) return;
    for (const { id, state } of change.samples) {
      const point = (this.#points[id] ?? 0) - 1;
      if (point >= 0) this.data.state[point] = reviewStates.indexOf(state);
    }
    this.changes += 1;
  }
}
