import { emptyFilter, type QueueQuery } from '../../shared/api.ts';
import type { SampleCard, SampleId, Triage } from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { nearestPoint, usualCoverage } from './curve.ts';

export type Part = 'accept' | 'look';

/** What is undecided on one side of the threshold. */
export interface Side {
  ids: readonly SampleId[];
  /** A few of them, the least sure first. */
  examples: readonly SampleCard[];
}

export const examplesShown = 6;

/** Where the line between the accepted and the others lies, and what is on its two sides. */
export class TriageState {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  error = $state.raw<string | null>(null);
  /** Null when there are no findings to sort by. */
  triage = $state.raw<Triage | null>(null);
  /** What the slider asks for, 0..1. */
  coverage = $state(1);
  /** The newest sides there are, which may belong to an older threshold; see `isSettled`. */
  accept = $state.raw<Side | null>(null);
  look = $state.raw<Side | null>(null);
  working = $state(false);
  /** The last bulk decision, for as long as it can be taken back here. */
  decided = $state.raw<{ count: number; label: string } | null>(null);

  readonly index = $derived(this.triage === null ? -1 : nearestPoint(this.triage.curve, this.coverage));
  readonly point = $derived(this.triage?.curve[this.index] ?? null);
  #settledAt = $state<number | null>(null);
  /** Whether the sides belong to the threshold that is chosen. */
  readonly isSettled = $derived(this.point !== null && this.#settledAt === this.point.threshold);

  readonly #app: AppState;
  #sidesNumber = 0;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Follows decisions and training until the returned function is called. */
  listen(): () => void {
    const stops = [
      subscribeTo(this.#app.transport, 'reviewChanged', (change) => {
        if (this.decided !== null && change.undoLabel !== this.decided.label) this.decided = null;
        void this.loadSides();
      }),
      subscribeTo(this.#app.transport, 'training', (event) => {
        if (event.kind === 'epoch' || event.kind === 'ended') void this.load();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    const result = await this.#app.client.getTriage({});
    if (!result.ok) {
      this.error = result.error.message;
      this.status = 'failed';
      return;
    }
    const isFirst = this.triage === null;
    this.triage = result.value;
    if (isFirst && result.value !== null) this.coverage = usualCoverage(result.value.curve);
    this.status = 'ready';
    await this.loadSides();
  }

  /** Reads what is on both sides of the chosen threshold. */
  async loadSides(): Promise<void> {
    const { point } = this;
    if (point === null) return;
    this.#sidesNumber += 1;
    const number = this.#sidesNumber;
    const [accept, look] = await Promise.all([this.#loadSide('accept'), this.#loadSide('look')]);
    if (number !== this.#sidesNumber || accept === null || look === null) return;
    this.accept = accept;
    this.look = look;
    this.#settledAt = point.threshold;
  }

  /** The queue of everything on one side, the least sure first. */
  queueOf(part: Part): QueueQuery {
    return {
      filter: { ...emptyFilter, triage: { part, threshold: this.point?.threshold ?? 0 } },
      sort: 'doubt',
    };
  }

  /** Confirms the label of everything undecided on the accepted side, as one action. */
  async acceptAll(): Promise<void> {
    const ids = this.accept?.ids ?? [];
    if (!this.isSettled || ids.length === 0) return;
    this.working = true;
    const change = this.#app.valueOrNotice(
      await this.#app.client.decide({ sampleIds: [...ids], decision: { kind: 'confirm' } }),
    );
    this.working = false;
    if (change === null) return;
    this.#app.applyReviewChange(change);
    this.decided = { count: ids.length, label: change.label };
    await this.loadSides();
  }

  async undo(): Promise<void> {
    this.working = true;
    const change = this.#app.valueOrNotice(await this.#app.client.undo({}));
    this.working = false;
    this.decided = null;
    if (change === null) return;
    this.#app.applyReviewChange(change);
    await this.loadSides();
  }

  async #loadSide(part: Part): Promise<Side | null> {
    const { filter, sort } = this.queueOf(part);
    const queue = this.#app.valueOrNotice(
      await this.#app.client.queryQueue({ filter: { ...filter, states: ['unreviewed'] }, sort }),
    );
    if (queue === null) return null;
    const ids = [...queue.ids.subarray(0, examplesShown)];
    const examples = ids.length === 0 ? [] : this.#app.valueOrNotice(await this.#app.client.getSamples({ ids }));
    return examples === null ? null : { ids: [...queue.ids], examples };
  }
}
