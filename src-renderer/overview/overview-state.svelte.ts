import { subscribeTo } from '../../shared/transport.ts';
import type { Overview } from '../../shared/domain.ts';
import type { AppState } from '../app-state.svelte.ts';

/** Decisions come in bursts; the numbers follow this long after the last. */
const quietMilliseconds = 400;

/** The numbers of the data set and of the work on it, kept up to date while somebody listens. */
export class OverviewState {
  value = $state.raw<Overview | null>(null);
  error = $state.raw<string | null>(null);

  readonly #app: AppState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading = false;
  #wanted = false;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Follows decisions and training until the returned function is called. */
  listen(): () => void {
    const stops = [
      subscribeTo(this.#app.transport, 'reviewChanged', () => this.#loadSoon()),
      subscribeTo(this.#app.transport, 'training', ({ kind }) => {
        if (kind === 'epoch' || kind === 'ended') this.#loadSoon();
      }),
    ];
    return () => {
      clearTimeout(this.#timer);
      for (const stop of stops) stop();
    };
  }

  /** One question at a time; what is wanted meanwhile is asked for when the answer is there. */
  async load(): Promise<void> {
    this.#wanted = true;
    if (this.#loading) return;
    this.#loading = true;
    while (this.#wanted) {
      this.#wanted = false;
      const result = await this.#app.client.getOverview({});
      this.error = result.ok ? null : result.error.message;
      if (result.ok) this.value = result.value;
    }
    this.#loading = false;
  }

  #loadSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), quietMilliseconds);
  }
}
