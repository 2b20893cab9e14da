import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import {
  emptyFilter,
  type DecisionInput,
  type QueueFilter,
  type QueueQuery,
  type ReviewChange,
} from '../../shared/api.ts';
import {
  reviewStates,
  type ConfusedPair,
  type SampleCard,
  type SampleDetail,
  type SampleId,
} from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { imageUrl } from '../client.ts';
import { listLikelyClasses, type LikelyClass } from './likely-classes.ts';
import { PictureCache } from './picture-cache.ts';
import { selectAll, selectNone, selectRange, toggleSelected, type Selection } from './selection.ts';

export const [getReviewState, setReviewState] = createContext<ReviewState>();

/** What a person can decide, before it is known to which samples it applies. */
export type Choice =
  | { kind: 'accept' | 'confirm' | 'drop' | 'skip' | 'reopen' }
  | { kind: 'likely'; index: number }
  | { kind: 'class'; decision: Extract<DecisionInput, { kind: 'relabel' | 'relabel-new' }> };

/** Cards asked for in one call. */
const cardBatch = 200;
/** Undecided images whose full picture and details are fetched before they are reached. */
const picturesAhead = 6;
const detailsKept = 400;
export const lookAlikesShown = 8;

/** The queue of samples, the place in it, the selection, and the decisions. */
export class ReviewState {
  filter = $state.raw<QueueFilter>({ ...emptyFilter, flaggedOnly: true });
  sort = $state<QueueQuery['sort']>('doubt');
  /** `loading` only until the first queue is there; later queues replace the shown one when they are complete. */
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  error = $state.raw<string | null>(null);
  ids = $state.raw<Uint32Array>(new Uint32Array(0));
  /** Confused pairs under the filter, with no restriction on the pair itself. */
  pairs = $state.raw<readonly ConfusedPair[]>([]);
  /** Something is newer than the queue that is shown. */
  stale = $state(false);
  undecidedCount = $state(0);

  view = $state<'grid' | 'focus'>('grid');
  filtersOpen = $state(false);
  typing = $state(false);
  helpOpen = $state(false);
  cellSize = $state(168);

  cursor = $state(0);
  selection = $state.raw<Selection>(selectNone(0));
  /** The sample whose full picture is on the screen, in the view of one image. */
  shownId = $state.raw<SampleId | null>(null);

  /** Images that look like one of the queue, most alike first. */
  lookAlikes = $state.raw<{ id: SampleId; cards: readonly SampleCard[] } | null>(null);
  /** Whether any have ever been found; without embeddings there are none. */
  hasLookAlikes = $state(false);

  readonly cards = new SvelteMap<SampleId, SampleCard>();
  readonly details = new SvelteMap<SampleId, SampleDetail>();
  readonly pictures = new PictureCache(32);

  readonly currentId = $derived(this.ids[this.cursor] ?? null);
  readonly current = $derived(this.currentId === null ? null : (this.cards.get(this.currentId) ?? null));
  readonly detail = $derived(this.currentId === null ? null : (this.details.get(this.currentId) ?? null));
  readonly likely = $derived.by<LikelyClass[]>(() =>
    this.detail === null ? [] : listLikelyClasses(this.detail, this.#app.project?.classes ?? []),
  );
  readonly isFinished = $derived(this.status === 'ready' && this.ids.length > 0 && this.undecidedCount === 0);
  readonly isFiltered = $derived(JSON.stringify(this.filter) !== JSON.stringify(this.defaultFilter));

  readonly #app: AppState;
  readonly #positions = new Map<SampleId, number>();
  readonly #undecided = new Set<SampleId>();
  #wantedCards = new Set<SampleId>();
  #wantedDetails = new Set<SampleId>();
  /** Counts queues, so that an answer to an older question is dropped. */
  #queueNumber = 0;
  #busy: Promise<void> = Promise.resolve();
  #waiting = 0;
  #hadFindings: boolean;

  constructor(app: AppState) {
    this.#app = app;
    this.filter = this.defaultFilter;
    this.#hadFindings = app.findings !== null;
    this.sort = this.#hadFindings ? 'doubt' : 'path';
    if (app.queueToReview !== null) {
      this.filter = app.queueToReview.filter;
      this.sort = app.queueToReview.sort;
      app.queueToReview = null;
    }
  }

  /** What the model flags; everything while there are no findings. */
  get defaultFilter(): QueueFilter {
    return { ...emptyFilter, flaggedOnly: this.#app.findings !== null };
  }

  get decidedCount(): number {
    return this.ids.length - this.undecidedCount;
  }

  /** How many samples the next decision applies to. */
  get targetCount(): number {
    return Math.max(1, this.selection.positions.size);
  }

  /** Follows what others decide and what training finds, until the returned function is called. */
  listen(): () => void {
    const stops = [
      subscribeTo(this.#app.transport, 'reviewChanged', (change) => {
        this.#apply(change);
      }),
      subscribeTo(this.#app.transport, 'training', (event) => {
        if (event.kind !== 'epoch' && event.kind !== 'ended') return;
        if (this.ids.length === 0) void this.refresh();
        else this.stale = true;
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  setFilter(change: Partial<QueueFilter>): void {
    this.filter = { ...this.filter, ...change };
    void this.refresh();
  }

  setSort(sort: QueueQuery['sort']): void {
    this.sort = sort;
    void this.refresh();
  }

  clearFilter(): void {
    this.filter = this.defaultFilter;
    void this.refresh();
  }

  /** Asks for the queue anew, and keeps the place in it where that still exists. */
  async refresh(): Promise<void> {
    this.#queueNumber += 1;
    const number = this.#queueNumber;
    if (!this.#hadFindings && this.#app.findings !== null) {
      // With the first findings, the plain list gives way to the doubts, unless it was already narrowed down.
      this.#hadFindings = true;
      if (JSON.stringify(this.filter) === JSON.stringify(emptyFilter)) {
        this.filter = this.defaultFilter;
        this.sort = 'doubt';
      }
    }
    const { filter, sort } = this;
    const { client } = this.#app;
    const [queue, pairs] = await Promise.all([
      client.queryQueue({ filter, sort }),
      client.listPairs({ filter: { ...filter, givenClassIds: [], suggestedClassIds: [] } }),
    ]);
    if (number !== this.#queueNumber) return;
    if (!queue.ok) {
      this.error = queue.error.message;
      this.status = 'failed';
      return;
    }
    const before = this.currentId;
    this.cards.clear();
    this.details.clear();
    this.#wantedCards.clear();
    this.#wantedDetails.clear();
    this.lookAlikes = null;
    const { ids, states } = queue.value;
    const unreviewed = reviewStates.indexOf('unreviewed');
    this.#positions.clear();
    this.#undecided.clear();
    ids.forEach((id, position) => {
      this.#positions.set(id, position);
      if (states[position] === unreviewed) this.#undecided.add(id);
    });
    this.undecidedCount = this.#undecided.size;
    this.ids = ids;
    this.pairs = pairs.ok ? pairs.value : [];
    this.error = null;
    this.stale = false;
    this.status = 'ready';
    const chosen = this.#app.sampleToReview;
    this.#app.sampleToReview = null;
    if (chosen !== null && this.#positions.has(chosen)) this.view = 'focus';
    const wanted = chosen ?? before;
    const kept = wanted === null ? undefined : this.#positions.get(wanted);
    this.moveTo(kept ?? this.#nextUndecided(-1) ?? 0);
  }

  /** Makes sure that the cards of these positions are there or on their way. */
  loadCards(start: number, end: number): void {
    const missing: SampleId[] = [];
    for (const id of this.ids.slice(Math.max(0, start), end)) {
      if (!this.#wantedCards.has(id)) missing.push(id);
    }
    for (let index = 0; index < missing.length; index += cardBatch) {
      void this.#fetchCards(missing.slice(index, index + cardBatch));
    }
  }

  /** Fetches what the next decisions will show: cards, details, and decoded pictures. */
  prefetch(): void {
    this.loadCards(this.cursor - 20, this.cursor + 60);
    const ahead = [this.cursor, this.cursor + 1, this.cursor - 1];
    let next: number | null = this.cursor;
    for (let count = 0; count < picturesAhead; count += 1) {
      next = this.#nextUndecided(next);
      if (next === null) break;
      ahead.push(next);
    }
    for (const position of ahead) {
      const id = this.ids[position];
      if (id === undefined) continue;
      void this.#fetchDetail(id);
      const card = this.cards.get(id);
      if (card === undefined) this.loadCards(position, position + 1);
      else if (this.view === 'focus') this.pictures.get(imageUrl(id, 'full', card.version));
    }
  }

  moveTo(position: number, options: { extend?: boolean } = {}): void {
    const target = Math.max(0, Math.min(this.ids.length - 1, position));
    this.selection = options.extend === true ? selectRange(this.selection, target) : selectNone(target);
    this.cursor = target;
  }

  toggleSelected(position: number): void {
    this.selection = toggleSelected(this.selection, this.cursor, position);
    this.cursor = position;
  }

  selectAll(): void {
    this.selection = selectAll(this.selection, this.ids.length);
  }

  clearSelection(): void {
    this.selection = selectNone(this.cursor);
  }

  /** Place in the queue; null for samples outside it. */
  positionOf(id: SampleId): number | null {
    return this.#positions.get(id) ?? null;
  }

  /** Reads what looks like a sample; a failure leaves them unknown, because nothing depends on them. */
  async loadLookAlikes(id: SampleId): Promise<void> {
    if (this.lookAlikes?.id === id) return;
    const { client } = this.#app;
    const neighbours = await client.listNeighbours({ id, limit: lookAlikesShown });
    if (!neighbours.ok || id !== this.currentId) return;
    const ids = neighbours.value.map((neighbour) => neighbour.sampleId);
    if (ids.length > 0) this.hasLookAlikes = true;
    const cards = ids.length === 0 ? null : await client.getSamples({ ids });
    if (id === this.currentId && cards?.ok !== false) this.lookAlikes = { id, cards: cards?.value ?? [] };
  }

  isSelected(position: number): boolean {
    return this.selection.positions.has(position);
  }

  showView(view: 'grid' | 'focus'): void {
    if (view === 'focus') this.clearSelection();
    this.view = view;
  }

  /**
   * Decides about the selection, or about the current sample, and goes on to the next undecided one once the service has
   * answered. A held key waits until the picture it would judge is on the screen; of quick presses one may wait in line,
   * because more would judge pictures that nobody has seen.
   */
  decide(choice: Choice, held = false): Promise<void> {
    if (held && (this.#waiting > 0 || (this.view === 'focus' && this.shownId !== this.currentId)))
      return Promise.resolve();
    return this.#waiting > 1 ? Promise.resolve() : this.#inLine(() => this.#decideNow(choice));
  }

  undo(): Promise<void> {
    return this.#inLine(async () => this.#step(await this.#app.client.undo({}), 'There is nothing to undo.'));
  }

  redo(): Promise<void> {
    return this.#inLine(async () => this.#step(await this.#app.client.redo({}), 'There is nothing to redo.'));
  }

  async #decideNow(choice: Choice): Promise<void> {
    const positions = this.selection.positions.size > 0 ? [...this.selection.positions] : [this.cursor];
    const sampleIds = positions.map((position) => this.ids[position]).filter((id) => id !== undefined);
    const decision = this.#toDecision(choice, sampleIds.length);
    if (decision === null || sampleIds.length === 0) return;
    const wasUndecided = sampleIds.some((id) => this.#undecided.has(id));
    const change = this.#app.valueOrNotice(await this.#app.client.decide({ sampleIds, decision }));
    if (change === null) return;
    this.#app.applyReviewChange(change);
    this.#apply(change);
    if (choice.kind === 'reopen') return;
    const last = positions.reduce((high, position) => Math.max(high, position), 0);
    // Looking again at what was decided goes on in order; otherwise to the next that is still open, around the end if need be.
    const next = wasUndecided ? (this.#nextUndecided(last) ?? this.#nextUndecided(-1)) : last + 1;
    this.moveTo(next ?? last);
  }

  #toDecision(choice: Choice, targets: number): DecisionInput | null {
    switch (choice.kind) {
      case 'accept':
        return targets > 1 || (this.current?.finding ?? null) !== null ? { kind: 'accept-suggestion' } : null;
      case 'likely': {
        const classId = this.likely[choice.index]?.classId;
        return classId === undefined ? null : { kind: 'relabel', classId };
      }
      case 'class':
        return choice.decision;
      default:
        return { kind: choice.kind };
    }
  }

  #step(result: Awaited<ReturnType<AppState['client']['undo']>>, whenNothing: string): void {
    if (result.ok && result.value === null) {
      this.#app.notify('info', whenNothing);
      return;
    }
    const change = this.#app.valueOrNotice(result);
    if (change === null) return;
    this.#app.applyReviewChange(change);
    this.#apply(change);
    // Show what has changed, so that an undo is seen to have happened.
    const positions = change.samples.flatMap(({ id }) => this.#positions.get(id) ?? []);
    if (positions.length > 0) this.moveTo(positions.reduce((low, position) => Math.min(low, position)));
    else
      this.#app.notify(
        'info',
        `${change.direction === 'undone' ? 'Undone' : 'Done again'}: ${change.label}. It is outside this view.`,
      );
  }

  /** Brings the shown samples up to date. The same change may arrive twice. */
  #apply(change: ReviewChange): void {
    for (const { id, state, currentClassId } of change.samples) {
      if (!this.#positions.has(id)) continue;
      const card = this.cards.get(id);
      if (card !== undefined) this.cards.set(id, { ...card, state, currentClassId });
      const detail = this.details.get(id);
      if (detail !== undefined) this.details.set(id, { ...detail, state, currentClassId });
      if (state === 'unreviewed') this.#undecided.add(id);
      else this.#undecided.delete(id);
    }
    this.undecidedCount = this.#undecided.size;
    if (this.lookAlikes !== null) {
      const changes = new Map(change.samples.map((sample) => [sample.id, sample]));
      this.lookAlikes = {
        ...this.lookAlikes,
        cards: this.lookAlikes.cards.map((card) => ({ ...card, ...changes.get(card.id) })),
      };
    }
  }

  #nextUndecided(after: number): number | null {
    for (let position = after + 1; position < this.ids.length; position += 1) {
      const id = this.ids[position];
      if (id !== undefined && this.#undecided.has(id)) return position;
    }
    return null;
  }

  /** Runs one action after the other. */
  #inLine(action: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    const done = this.#busy.then(action).finally(() => {
      this.#waiting -= 1;
    });
    this.#busy = done.catch(() => undefined);
    return done;
  }

  async #fetchCards(ids: SampleId[]): Promise<void> {
    const number = this.#queueNumber;
    for (const id of ids) this.#wantedCards.add(id);
    const result = await this.#app.client.getSamples({ ids });
    if (number !== this.#queueNumber) return;
    if (!result.ok) {
      // The next look at these positions asks again.
      for (const id of ids) this.#wantedCards.delete(id);
      this.#app.valueOrNotice(result);
      return;
    }
    for (const card of result.value) this.cards.set(card.id, card);
  }

  async #fetchDetail(id: SampleId): Promise<void> {
    if (this.#wantedDetails.has(id)) return;
    const number = this.#queueNumber;
    this.#wantedDetails.add(id);
    const result = await this.#app.client.getSample({ id });
    if (number !== this.#queueNumber) return;
    if (!result.ok) {
      this.#wantedDetails.delete(id);
      return;
    }
    for (const oldest of this.details.keys()) {
      if (this.details.size < detailsKept) break;
      this.details.delete(oldest);
      this.#wantedDetails.delete(oldest);
    }
    this.details.set(id, result.value);
  }
}
