import { createContext, untrack } from 'svelte';
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
  type ActionId,
  type ClassId,
  type SampleCard,
  type SampleDetail,
  type SampleId,
} from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { imageUrl } from '../client.ts';
import { Exemplars } from './exemplars.svelte.ts';
import { listLikelyClasses, type LikelyClass } from './likely-classes.ts';
import type { Pair } from './pair-matrix.ts';
import { PictureCache } from './picture-cache.ts';
import { selectAll, selectNone, selectRange, selectWhere, toggleSelected, type Selection } from './selection.ts';

export const [getReviewState, setReviewState] = createContext<ReviewState>();

/** Ways to look at the one queue. */
export const modes = ['grid', 'focus', 'pairs', 'clusters', 'map'] as const;
export type Mode = (typeof modes)[number];

/** What a person can decide, before it is known to which samples it applies. */
export type Choice =
  | { kind: 'accept' | 'confirm' | 'drop' | 'skip' | 'reopen' }
  | { kind: 'likely'; index: number }
  | { kind: 'class'; decision: Extract<DecisionInput, { kind: 'relabel' | 'relabel-new' }> };

/** What the next decision is about, in a mode where that is not the cursor or the selection of the queue. */
export interface Aim {
  /** Empty: a decision would be about nothing, and is not taken. */
  sampleIds: readonly SampleId[];
  /** The one that is described at the side. */
  currentId: SampleId | null;
  /** Goes on to what comes next, after a decision. */
  advance?: () => void;
}

/** A pair of labels whose samples are the queue for now. */
interface OpenPair extends Pair {
  /** What was shown before, and is again when the pair is closed. */
  before: QueueFilter;
  /** Whether its queue is there. */
  ready: boolean;
}

/** While there is nothing to decide about. */
export const aimAtNothing: Aim = { sampleIds: [], currentId: null };

/** Cards asked for in one call. */
const cardBatch = 200;
/** Cards that are waited for before the first queue shows: those of a large window. */
const firstCards = 80;
/** And of the rows above them, which one sees when one scrolls back. */
const cardsBefore = 24;
/** Cards that are kept; those that nobody looks at are let go beyond this. */
const cardsKept = 3000;
/** Undecided images whose full picture and details are fetched before they are reached. */
const picturesAhead = 6;
const detailsKept = 400;
const unreviewed = reviewStates.indexOf('unreviewed');

/** The queue of samples, the place in it, the selection, and the decisions. */
export class ReviewState {
  filter = $state.raw<QueueFilter>({ ...emptyFilter, flaggedOnly: true });
  sort = $state<QueueQuery['sort']>('doubt');
  /** `loading` only until the first queue is there; later queues replace the shown one when they are complete. */
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  error = $state.raw<string | null>(null);
  ids = $state.raw<Uint32Array>(new Uint32Array(0));
  /** Counts queues, for what depends on which samples are in the queue rather than on their order. */
  queueNumber = $state(0);
  /** Something is newer than the queue that is shown. */
  stale = $state(false);
  undecidedCount = $state(0);

  mode = $state<Mode>('grid');
  filtersOpen = $state(false);
  historyOpen = $state(false);
  /** Choosing a class by typing. */
  typing = $state(false);
  /** Counts up to put the focus into the search field. */
  searchWanted = $state(0);
  cellSize = $state(168);
  /** Whether the view of one image shows examples of its classes. */
  examplesOpen = $state(true);

  cursor = $state(0);
  selection = $state.raw<Selection>(selectNone(0));
  /** Set by a mode while it is shown. */
  aim = $state.raw<Aim | null>(null);
  openPair = $state.raw<OpenPair | null>(null);
  /** The cell of the matrix of pairs that has the cursor. */
  pairAt = $state.raw<Pair | null>(null);
  /** The member of a cluster that had the cursor last. */
  memberAt = $state.raw<SampleId | null>(null);
  /** Of the grid, for the keys that move in it. */
  gridColumns = $state(1);
  gridRowsInView = $state(1);
  /** The sample whose full picture is on the screen, in the view of one image. */
  shownId = $state.raw<SampleId | null>(null);
  /** The sample on which the eye can rest: a frame after its picture is painted, or when the cursor of the grid stops; null in other modes. */
  settledId = $state.raw<SampleId | null>(null);

  readonly cards = new SvelteMap<SampleId, SampleCard>();
  readonly details = new SvelteMap<SampleId, SampleDetail>();
  readonly pictures = new PictureCache(32);
  readonly exemplars: Exemplars;

  readonly currentId = $derived(this.aim === null ? (this.ids[this.cursor] ?? null) : this.aim.currentId);
  readonly current = $derived(this.currentId === null ? null : (this.cards.get(this.currentId) ?? null));
  readonly detail = $derived(this.currentId === null ? null : (this.details.get(this.currentId) ?? null));
  /**
   * The sample that is described at the side. It follows once the picture itself is on the screen or the cursor rests, so that neither
   * waits for what is written about it; where nothing else is said it is the current one.
   */
  readonly describedId = $derived(this.aim === null && this.settledId !== null ? this.settledId : this.currentId);
  readonly likely = $derived.by<LikelyClass[]>(() =>
    this.detail === null ? [] : listLikelyClasses(this.detail, this.#app.classes),
  );
  /** How many samples the next decision applies to. */
  readonly targetCount = $derived(
    this.aim === null ? Math.max(1, this.selection.positions.size) : this.aim.sampleIds.length,
  );
  /** Several images at once, of which some can be selected. */
  readonly showsGrid = $derived(this.mode === 'grid' || (this.mode === 'pairs' && this.openPair?.ready === true));
  readonly isFinished = $derived(this.status === 'ready' && this.ids.length > 0 && this.undecidedCount === 0);
  readonly isFiltered = $derived(JSON.stringify(this.filter) !== JSON.stringify(this.defaultFilter));

  readonly #app: AppState;
  /** By id, the place in the queue plus 1; ids are small numbers without large gaps. */
  #places: Uint32Array = new Uint32Array(0);
  /** By place in the queue; indexes into `reviewStates`. */
  #states: Uint8Array = new Uint8Array(0);
  /** What was asked for, with the answer on its way. */
  readonly #wantedCards = new Map<SampleId, Promise<void>>();
  readonly #wantedDetails = new Set<SampleId>();
  /** Positions for which cards were asked last. */
  #cardsInView = { start: 0, end: 0 };
  /** Besides those, what parts of the window show. */
  readonly #shownCards = new Set<readonly SampleId[]>();
  /** Samples without a card that are known to be decided, for where the queue does not tell. */
  readonly #decidedElsewhere = new Set<SampleId>();
  #busy: Promise<void> = Promise.resolve();
  #waiting = 0;
  #hadFindings: boolean;
  /** The mode that the view of one image goes back to. */
  #modeBefore: Mode = 'grid';
  /** The mode from which a sample outside the queue was opened. */
  #peekedFrom: Mode = 'grid';

  constructor(app: AppState) {
    this.#app = app;
    this.exemplars = new Exemplars(app.client);
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
    const filter = { ...this.filter, ...change };
    if (this.openPair !== null) {
      const { givenClassId, suggestedClassId, before } = this.openPair;
      const isSamePair =
        isOnly(filter.givenClassIds, givenClassId) && isOnly(filter.suggestedClassIds, suggestedClassId);
      // Other classes are another pair, or none; anything else holds for the matrix that the pair came from, too.
      const { givenClassIds, suggestedClassIds } = before;
      this.openPair = isSamePair ? { ...this.openPair, before: { ...filter, givenClassIds, suggestedClassIds } } : null;
    }
    this.filter = filter;
    void this.refresh();
  }

  setSort(sort: QueueQuery['sort']): void {
    this.sort = sort;
    void this.refresh();
  }

  clearFilter(): void {
    this.openPair = null;
    this.filter = this.defaultFilter;
    void this.refresh();
  }

  /** Asks for the queue anew, and keeps the place in it where that still exists. */
  async refresh(): Promise<void> {
    this.queueNumber += 1;
    const number = this.queueNumber;
    if (!this.#hadFindings && this.#app.findings !== null) {
      // With the first findings, the plain list gives way to the doubts, unless it was already narrowed down.
      this.#hadFindings = true;
      if (JSON.stringify(this.filter) === JSON.stringify(emptyFilter)) {
        this.filter = this.defaultFilter;
        this.sort = 'doubt';
      }
    }
    const queue = await this.#app.client.queryQueue({ filter: this.filter, sort: this.sort });
    if (number !== this.queueNumber) return;
    if (!queue.ok) {
      this.error = queue.error.message;
      this.status = 'failed';
      return;
    }
    const { ids, states } = queue.value;
    const before = this.ids[this.cursor] ?? null;
    // At once, so that no decision of others that is told from now on is missed.
    this.#places = placesOf(ids);
    this.#states = states.slice();
    if (this.status === 'loading') {
      // One more round trip, but then the cells are drawn once instead of empty first.
      const first = Math.max(0, states.indexOf(unreviewed));
      await this.#fetchCards([...ids.subarray(Math.max(0, first - cardsBefore), first + firstCards)]);
      if (number !== this.queueNumber) return;
    }
    this.undecidedCount = this.#states.reduce((count, state) => count + (state === unreviewed ? 1 : 0), 0);
    this.ids = ids;
    this.error = null;
    this.stale = false;
    this.status = 'ready';
    const chosen = this.#app.sampleToReview;
    this.#app.sampleToReview = null;
    const kept = before === null ? null : this.positionOf(before);
    this.moveTo(kept ?? this.#nextUndecided(-1) ?? 0);
    if (this.openPair?.ready === false) this.#enterPair(this.openPair);
    if (chosen !== null) this.showSample(chosen);
  }

  /** Forgets what is known of the samples, and reads anew what is shown. */
  async reload(): Promise<void> {
    this.#wantedCards.clear();
    this.#wantedDetails.clear();
    this.#decidedElsewhere.clear();
    this.cards.clear();
    this.details.clear();
    this.exemplars.clear();
    await this.refresh();
  }

  /** Makes sure that the cards of these positions are there or on their way. */
  loadCards(start: number, end: number): void {
    this.#cardsInView = { start, end };
    this.loadCardsOf(this.ids.subarray(Math.max(0, start), Math.max(0, end)));
  }

  /** The same for samples that need not be in the queue; their cards stay at least until the returned function is called. */
  showCards(ids: readonly SampleId[]): () => void {
    this.#shownCards.add(ids);
    this.loadCardsOf(ids);
    return () => this.#shownCards.delete(ids);
  }

  /** The same for what need not stay. */
  loadCardsOf(ids: Iterable<SampleId>): void {
    if (this.cards.size > cardsKept) untrack(() => this.#letCardsGo());
    const missing: SampleId[] = [];
    for (const id of ids) if (!this.#wantedCards.has(id)) missing.push(id);
    for (let index = 0; index < missing.length; index += cardBatch) {
      void this.#fetchCards(missing.slice(index, index + cardBatch));
    }
  }

  /** Fetches what the next decisions will show: cards, details, and decoded pictures. */
  prefetch(): void {
    if (this.aim !== null) {
      if (this.aim.currentId !== null) void this.#prefetchSample(this.aim.currentId);
      return;
    }
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
      if (id !== undefined) void this.#prefetchSample(id);
    }
  }

  moveTo(position: number, options: { extend?: boolean } = {}): void {
    // To move in the queue is to leave a sample outside it.
    if (this.mode === 'focus') this.aim = null;
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

  isSelected(position: number): boolean {
    return this.selection.positions.has(position);
  }

  /** Place in the queue; null for samples outside it. */
  positionOf(id: SampleId): number | null {
    const place = this.#places[id] ?? 0;
    return place === 0 ? null : place - 1;
  }

  showMode(mode: Mode): void {
    if (mode === this.mode) return;
    if (this.mode === 'focus') this.aim = null;
    // One image at a time is still a way to look at the pair; the other modes are about everything.
    if (mode !== 'focus' && mode !== 'pairs') this.closePair();
    if (mode === 'focus') {
      this.clearSelection();
      this.#modeBefore = this.mode;
    }
    this.mode = mode;
  }

  /** Makes the samples of a pair the queue; those that are undecided are selected when it is there. */
  showPair({ givenClassId, suggestedClassId }: Pair): void {
    const before = this.openPair?.before ?? this.filter;
    this.openPair = { givenClassId, suggestedClassId, before, ready: false };
    this.pairAt = { givenClassId, suggestedClassId };
    this.filter = { ...before, givenClassIds: [givenClassId], suggestedClassIds: [suggestedClassId] };
    void this.refresh();
  }

  closePair(): void {
    if (this.openPair === null) return;
    this.filter = this.openPair.before;
    this.openPair = null;
    void this.refresh();
  }

  /** Shows one sample large: at its place in the queue, or by itself where it has none, until one goes back or on. */
  showSample(id: SampleId): void {
    const position = this.positionOf(id);
    this.#peekedFrom = this.mode;
    this.showMode('focus');
    if (position !== null) this.moveTo(position);
    else this.aim = { sampleIds: [id], currentId: id, advance: () => this.leaveFocus() };
  }

  /** One step back from the view of one image: to the queue's own image, or to the mode one came from. */
  leaveFocus(): void {
    if (this.aim !== null && this.#peekedFrom === 'focus') this.aim = null;
    else this.showMode(this.#modeBefore);
  }

  /**
   * Decides about the aim, the selection, or the current sample, and goes on to the next undecided one; back again if the service
   * could not store it. A held key waits until the picture it would judge is on the screen; of quick presses one may wait in line,
   * because more would judge pictures that nobody has seen.
   */
  decide(choice: Choice, held = false): Promise<void> {
    if (held && (this.#waiting > 0 || (this.mode === 'focus' && this.shownId !== this.currentId)))
      return Promise.resolve();
    return this.#waiting > 1 ? Promise.resolve() : this.#inLine(() => this.#decideNow(choice));
  }

  /** Drops everything that is aimed at except one, which keeps its given label. */
  keepOnly(keptId: SampleId): Promise<void> {
    return this.#inLine(async () => {
      const { aim } = this;
      if (aim === null) return;
      // Also one that was left out of what is aimed at.
      const sampleIds = [...new Set([...aim.sampleIds, keptId])];
      if (await this.#send(sampleIds, { kind: 'keep-only', keptId })) aim.advance?.();
    });
  }

  undo(): Promise<void> {
    return this.#inLine(async () => this.#step(await this.#app.client.undo({}), 'There is nothing to undo.'));
  }

  redo(): Promise<void> {
    return this.#inLine(async () => this.#step(await this.#app.client.redo({}), 'There is nothing to redo.'));
  }

  /** Undoes or redoes until this entry of the history is the newest that stands; null goes back to the beginning. */
  jumpTo(actionId: ActionId | null): Promise<void> {
    return this.#inLine(async () => this.#step(await this.#app.client.jumpTo({ actionId }), ''));
  }

  /** Shows what an entry of the history has changed, whatever else was filtered. */
  showEntry(actionId: ActionId): void {
    this.setFilter({ ...emptyFilter, actionId });
  }

  async #decideNow(choice: Choice): Promise<void> {
    const { aim } = this;
    const positions = this.selection.positions.size > 0 ? [...this.selection.positions] : [this.cursor];
    const sampleIds =
      aim === null
        ? positions.map((position) => this.ids[position]).filter((id) => id !== undefined)
        : [...aim.sampleIds];
    const decision = this.#toDecision(choice, sampleIds.length);
    if (decision === null || sampleIds.length === 0) return;
    if (aim !== null || choice.kind === 'reopen') {
      if ((await this.#send(sampleIds, decision)) && choice.kind !== 'reopen') aim?.advance?.();
      return;
    }
    const last = positions.reduce((high, position) => Math.max(high, position), 0);
    const { cursor, selection } = this;
    const stored = this.#send(sampleIds, decision);
    // Looking again at what was decided goes on in order; otherwise to the next that is still open, around the end if need be.
    const next = sampleIds.some((id) => this.isUndecided(id)) ? this.#nextUndecided(last) : last + 1;
    // Shown while the decision is written; the next one waits for that.
    if (next !== null) this.moveTo(next);
    if (!(await stored)) {
      this.cursor = cursor;
      this.selection = selection;
    } else if (next === null) this.moveTo(this.#nextUndecided(-1) ?? last);
  }

  #enterPair(pair: OpenPair): void {
    this.openPair = { ...pair, ready: true };
    this.moveTo(this.#nextUndecided(-1) ?? 0);
    this.selection = selectWhere(this.selection, this.#states, unreviewed);
  }

  /** False after telling the person why it could not be done. */
  async #send(sampleIds: SampleId[], decision: DecisionInput): Promise<boolean> {
    const change = this.#app.valueOrNotice(await this.#app.client.decide({ sampleIds, decision }));
    if (change === null) return false;
    this.#app.applyReviewChange(change);
    this.#apply(change);
    return true;
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
    const positions = change.samples.flatMap(({ id }) => this.positionOf(id) ?? []);
    if (positions.length > 0) this.moveTo(positions.reduce((low, position) => Math.min(low, position)));
    else {
      const said = change.direction === 'undone' ? 'Undone' : 'Done again';
      this.#app.notify(
        'info',
        `${said}: ${change.label}.${change.samples.length > 0 ? ' It is outside this view.' : ''}`,
      );
    }
  }

  /** Brings the shown samples up to date. The same change may arrive twice. */
  #apply(change: ReviewChange): void {
    if (change.everything) {
      void this.reload();
      return;
    }
    let undecided = this.undecidedCount;
    for (const { id, state, currentClassId } of change.samples) {
      const card = this.cards.get(id);
      const isKnown = card?.state === state && card.currentClassId === currentClassId;
      if (card !== undefined && !isKnown) this.cards.set(id, { ...card, state, currentClassId });
      this.exemplars.update(id, currentClassId);
      const detail = this.details.get(id);
      if (detail !== undefined && !isKnown) this.details.set(id, { ...detail, state, currentClassId });
      const position = this.positionOf(id);
      if (position === null) {
        this.#rememberState(id, state);
        continue;
      }
      const next = reviewStates.indexOf(state);
      if (this.#states[position] === unreviewed) undecided -= 1;
      if (next === unreviewed) undecided += 1;
      this.#states[position] = next;
    }
    this.undecidedCount = undecided;
  }

  /** Samples outside the queue that were not looked at yet count as undecided. */
  isUndecided(id: SampleId): boolean {
    const position = this.positionOf(id);
    if (position !== null) return this.#states[position] === unreviewed;
    const card = this.cards.get(id);
    return card === undefined ? !this.#decidedElsewhere.has(id) : card.state === 'unreviewed';
  }

  #nextUndecided(after: number): number | null {
    const position = this.#states.indexOf(unreviewed, after + 1);
    return position === -1 ? null : position;
  }

  async #prefetchSample(id: SampleId): Promise<void> {
    void this.#fetchDetail(id);
    this.loadCardsOf([id]);
    // Of one far ahead, as the next undecided one may be, it says where the picture is.
    if (!this.cards.has(id)) await this.#wantedCards.get(id);
    const card = this.cards.get(id);
    if (card === undefined || this.mode !== 'focus') return;
    this.pictures.get(imageUrl(id, 'full', card.version));
    if (this.examplesOpen) for (const classId of classesOf(card)) this.exemplars.load(classId);
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

  #fetchCards(ids: SampleId[]): Promise<void> {
    const answered = this.#app.client.getSamples({ ids }).then((result) => {
      if (!result.ok) {
        // The next look at these samples asks again.
        for (const id of ids) this.#wantedCards.delete(id);
        this.#app.valueOrNotice(result);
        return;
      }
      for (const card of result.value) if (this.#wantedCards.has(card.id)) this.cards.set(card.id, card);
    });
    for (const id of ids) this.#wantedCards.set(id, answered);
    return answered;
  }

  /** Lets go of the cards that were fetched longest ago, but not of what is in view, near that in the queue, or decided about. */
  #letCardsGo(): void {
    const { start, end } = this.#cardsInView;
    const margin = cardsKept / 4;
    const shown = new Set(this.aim?.sampleIds);
    for (const ids of this.#shownCards) for (const id of ids) shown.add(id);
    for (const [id, { state }] of this.cards) {
      if (this.cards.size <= cardsKept - margin) return;
      const position = this.positionOf(id);
      const isNear = position !== null && position > start - margin && position < end + margin;
      if (isNear || shown.has(id) || id === this.currentId) continue;
      this.cards.delete(id);
      this.#wantedCards.delete(id);
      this.#rememberState(id, state);
    }
  }

  #rememberState(id: SampleId, state: SampleCard['state']): void {
    if (state === 'unreviewed') this.#decidedElsewhere.delete(id);
    else this.#decidedElsewhere.add(id);
  }

  async #fetchDetail(id: SampleId): Promise<void> {
    if (this.#wantedDetails.has(id)) return;
    this.#wantedDetails.add(id);
    const result = await this.#app.client.getSample({ id });
    if (!result.ok) {
      this.#wantedDetails.delete(id);
      return;
    }
    if (!this.#wantedDetails.has(id)) return;
    for (const oldest of this.details.keys()) {
      if (this.details.size < detailsKept) break;
      this.details.delete(oldest);
      this.#wantedDetails.delete(oldest);
    }
    this.details.set(id, result.value);
  }
}

function isOnly(classIds: readonly ClassId[], classId: ClassId): boolean {
  return classIds.length === 1 && classIds[0] === classId;
}

/** The classes between which one decides. */
function classesOf({ givenClassId, finding, currentClassId }: SampleCard): Set<ClassId> {
  return new Set([givenClassId, finding?.suggestedClassId ?? givenClassId, currentClassId ?? givenClassId]);
}

function placesOf(ids: Uint32Array): Uint32Array {
  const places = new Uint32Array(ids.reduce((largest, id) => Math.max(largest, id), 0) + 1);
  for (let position = 0; position < ids.length; position += 1) places[ids[position]!] = position + 1;
  return places;
}
