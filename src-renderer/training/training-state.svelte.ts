import type { TrainingEvent, TrainingRequest } from '../../shared/api.ts';
import type { Budget, EngineChoice, EngineReport, SampleCard, TrainingPlan } from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';

type BatchReport = Extract<TrainingEvent, { kind: 'batch' }>;

/** How many of the current doubts are shown while training goes on. */
const doubtsShown = 24;

/** The choice of a plan, and what a run reports beyond its epochs. */
export class TrainingState {
  budget = $state<Budget>('balanced');
  engine = $state<EngineChoice>('auto');
  seed = $state(1);

  plan = $state.raw<TrainingPlan | null>(null);
  planError = $state.raw<string | null>(null);
  engines = $state.raw<EngineReport[] | null>(null);

  /** Decoding of the images before the first epoch. */
  preparing = $state.raw<{ done: number; total: number } | null>(null);
  batch = $state.raw<BatchReport | null>(null);
  doubts = $state.raw<SampleCard[]>([]);
  starting = $state(false);
  cancelling = $state(false);

  readonly #app: AppState;
  #planRequest = 0;

  constructor(app: AppState) {
    this.#app = app;
  }

  get request(): TrainingRequest {
    return { budget: this.budget, engine: this.engine, seed: this.seed };
  }

  /** Follows the run until the returned function is called. */
  listen(): () => void {
    return subscribeTo(this.#app.transport, 'training', (event) => {
      if (event.kind === 'preparing') this.preparing = { done: event.done, total: event.total };
      if (event.kind === 'batch') {
        this.preparing = null;
        this.batch = event;
      }
      if (event.kind === 'epoch') void this.loadDoubts();
      if (event.kind === 'ended') {
        this.preparing = null;
        this.batch = null;
        this.cancelling = false;
        void this.loadDoubts();
      }
    });
  }

  async loadEngines(): Promise<void> {
    const result = await this.#app.client.listEngines({ measure: false });
    if (result.ok) this.engines = result.value;
  }

  async loadPlan(request: TrainingRequest): Promise<void> {
    this.#planRequest += 1;
    const current = this.#planRequest;
    this.plan = null;
    this.planError = null;
    const result = await this.#app.client.planTraining(request);
    if (current !== this.#planRequest) return;
    if (result.ok) this.plan = result.value;
    else this.planError = result.error.message;
  }

  async loadDoubts(): Promise<void> {
    const { client } = this.#app;
    const filter = {
      states: [],
      givenClassIds: [],
      suggestedClassIds: [],
      flaggedOnly: true,
      minScore: null,
      maxScore: null,
      search: '',
    };
    const queue = await client.queryQueue({ filter, sort: 'doubt' });
    if (!queue.ok || queue.value.ids.length === 0) {
      this.doubts = [];
      return;
    }
    const cards = await client.getSamples({ ids: queue.value.ids.slice(0, doubtsShown) });
    if (cards.ok) this.doubts = cards.value;
  }

  async start(): Promise<void> {
    this.starting = true;
    this.batch = null;
    this.preparing = null;
    const run = this.#app.valueOrNotice(await this.#app.client.startTraining(this.request));
    // Events of the run may have come before this answer; they know more.
    if (run !== null && this.#app.run?.id !== run.id) this.#app.run = run;
    this.starting = false;
  }

  async cancel(): Promise<void> {
    this.cancelling = true;
    if (this.#app.valueOrNotice(await this.#app.client.cancelTraining({})) === null) {
      this.cancelling = this.#app.isTraining && this.cancelling;
    }
  }
}
