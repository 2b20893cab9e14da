import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { emptyFilter, type ClassEdit, type ReviewChange } from '../../shared/api.ts';
import type { ClassId, SampleId } from '../../shared/domain.ts';
import type { Result } from '../../shared/result.ts';
import type { AppState } from '../app-state.svelte.ts';
import { OverviewState } from '../overview/overview-state.svelte.ts';
import { arrangeClassRows, listClassRows, type ClassRow, type ClassSort } from './class-rows.ts';

/** Cards asked for in one call. */
const cardBatch = 200;

/** The list of classes, the place in it, the selection, and the edits. */
export class ClassesState {
  typed = $state('');
  sort = $state<ClassSort>('name');
  readonly selected = new SvelteSet<ClassId>();
  readonly overview: OverviewState;
  /** Picture addresses carry the version of the file, which only the cards know. */
  readonly versions = new SvelteMap<SampleId, string>();

  readonly all = $derived.by<ClassRow[]>(() =>
    listClassRows(
      this.#app.classes,
      this.overview.value?.classes ?? null,
      (this.overview.value?.remaining ?? null) !== null,
    ),
  );
  readonly rows = $derived(arrangeClassRows(this.all, this.typed, this.sort));
  /** Place of the cursor among the rows; 0 as well when there are none. */
  readonly position = $derived.by(() =>
    Math.max(
      0,
      this.rows.findIndex((row) => row.item.id === this.#cursorId),
    ),
  );
  readonly current = $derived(this.rows[this.position] ?? null);
  /** The selected classes, else the one under the cursor. */
  readonly targets = $derived.by<ClassRow[]>(() => {
    const chosen = this.all.filter((row) => this.selected.has(row.item.id));
    return chosen.length > 0 ? chosen : this.current === null ? [] : [this.current];
  });

  #cursorId = $state.raw<ClassId | null>(null);
  #anchor = 0;
  readonly #wanted = new Set<SampleId>();
  readonly #app: AppState;

  constructor(app: AppState) {
    this.#app = app;
    this.overview = new OverviewState(app);
  }

  moveTo(position: number, options: { extend?: boolean } = {}): void {
    const from = this.position;
    const to = Math.max(0, Math.min(this.rows.length - 1, position));
    this.#cursorId = this.rows[to]?.item.id ?? null;
    if (options.extend !== true) {
      this.#anchor = to;
      return;
    }
    if (this.selected.size === 0) this.#anchor = from;
    this.selected.clear();
    const [low, high] = [Math.min(this.#anchor, to), Math.max(this.#anchor, to)];
    for (const row of this.rows.slice(low, high + 1)) this.selected.add(row.item.id);
  }

  toggle(position: number): void {
    this.moveTo(position);
    const id = this.current?.item.id;
    if (id !== undefined && !this.selected.delete(id)) this.selected.add(id);
  }

  selectAll(): void {
    for (const row of this.rows) this.selected.add(row.item.id);
  }

  /** True when it is done; otherwise a notice says why not. */
  async edit(edit: ClassEdit): Promise<boolean> {
    const change = this.#take(await this.#app.client.editClass(edit));
    if (change === null) return false;
    if (edit.kind === 'merge') this.#cursorId = edit.into;
    if (edit.kind === 'create') {
      this.typed = '';
      this.#cursorId = change.classes?.find((item) => item.name === edit.name.trim())?.id ?? null;
    }
    return true;
  }

  async undo(): Promise<void> {
    this.#tell('Undone', this.#take(await this.#app.client.undo({})));
  }

  async redo(): Promise<void> {
    this.#tell('Done again', this.#take(await this.#app.client.redo({})));
  }

  review(classId: ClassId): void {
    const sort = this.#app.findings === null ? 'path' : 'doubt';
    this.#app.reviewQueue({ filter: { ...emptyFilter, currentClassIds: [classId] }, sort });
  }

  split(classId: ClassId): void {
    this.#app.classToSplit = classId;
    this.review(classId);
  }

  async loadVersions(ids: readonly SampleId[]): Promise<void> {
    const missing = ids.filter((id) => !this.#wanted.has(id));
    for (const id of missing) this.#wanted.add(id);
    for (let start = 0; start < missing.length; start += cardBatch) {
      const batch = missing.slice(start, start + cardBatch);
      const cards = await this.#app.client.getSamples({ ids: batch });
      // Without their pictures the rows still say everything; the next look asks again.
      if (!cards.ok) for (const id of batch) this.#wanted.delete(id);
      else for (const card of cards.value) this.versions.set(card.id, card.version);
    }
  }

  #take(result: Result<ReviewChange | null>): ReviewChange | null {
    const change = this.#app.valueOrNotice(result);
    if (change === null) return null;
    this.#app.applyReviewChange(change);
    const left = new Set(this.#app.classes.map(({ id }) => id));
    for (const id of this.selected) if (!left.has(id)) this.selected.delete(id);
    return change;
  }

  /** What was undone may be a decision about images, which this screen does not show. */
  #tell(said: string, change: ReviewChange | null): void {
    if (change !== null) this.#app.notify('info', `${said}: ${change.label}.`);
  }
}
