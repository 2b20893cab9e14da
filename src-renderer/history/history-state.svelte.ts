import type { ApiClient } from '../../shared/api.ts';
import type { ActionId, HistoryEntry } from '../../shared/domain.ts';

/** Entries asked for at a time; at most 500. */
const page = 200;

/** The history as far as it has been looked at, newest first; older pages follow when they come into view. */
export class HistoryState {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  error = $state.raw<string | null>(null);
  entries = $state.raw<readonly HistoryEntry[]>([]);
  total = $state(0);
  /** The newest step that stands, of whomever. */
  standing = $state.raw<ActionId | null>(null);
  /** Everybody who occurs in the history, whoever is shown. */
  authors = $state.raw<readonly string[]>([]);
  /** Whose steps are shown; null for everybody's. */
  author = $state.raw<string | null>(null);
  readonly complete = $derived(this.status === 'ready' && this.entries.length >= this.total);

  readonly #client: Pick<ApiClient, 'listHistory'>;
  /** Counts readings from the newest on; what belongs to an older one is thrown away. */
  #reading = 0;
  #loadingMore = false;

  constructor(client: Pick<ApiClient, 'listHistory'>) {
    this.#client = client;
  }

  async showOnly(author: string | null): Promise<void> {
    this.author = author;
    await this.refresh();
  }

  /** Reads anew as many entries as are needed to show what is in view; older ones are read again when they are. */
  async refresh(needed = 0): Promise<void> {
    this.#reading += 1;
    const reading = this.#reading;
    this.#loadingMore = false;
    const entries: HistoryEntry[] = [];
    const { author } = this;
    let total: number;
    do {
      const result = await this.#client.listHistory({ before: entries.at(-1)?.id ?? null, limit: page, author });
      if (reading !== this.#reading) return;
      if (!result.ok) {
        this.error = result.error.message;
        this.status = 'failed';
        return;
      }
      entries.push(...result.value.entries);
      total = result.value.entries.length === 0 ? entries.length : result.value.total;
      this.standing = result.value.standing;
      this.authors = result.value.authors;
    } while (entries.length < Math.min(needed, total));
    this.entries = entries;
    this.total = total;
    this.error = null;
    this.status = 'ready';
  }

  async loadMore(): Promise<void> {
    const last = this.entries.at(-1);
    if (this.status !== 'ready' || this.complete || this.#loadingMore || last === undefined) return;
    const reading = this.#reading;
    this.#loadingMore = true;
    const result = await this.#client.listHistory({ before: last.id, limit: page, author: this.author });
    if (reading !== this.#reading) return;
    this.#loadingMore = false;
    if (!result.ok) {
      this.error = result.error.message;
      this.status = 'failed';
      return;
    }
    this.entries = [...this.entries, ...result.value.entries];
    this.total = result.value.entries.length === 0 ? this.entries.length : result.value.total;
  }
}
