import { emptyFilter, type RecipeOffer, type TrainingEvent, type TrainingRequest } from '../../shared/api.ts';
import type {
  Budget,
  EngineChoice,
  EngineReport,
  RunId,
  RunSummary,
  SampleCard,
  TrainingPlan,
} from '../../shared/domain.ts';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { formatCountOf } from '../ui/format.ts';

type BatchReport = Extract<TrainingEvent, { kind: 'batch' }>;

/** How many of the current doubts are shown while training goes on. */
const doubtsShown = 24;
const usualRecipe = 'sat';

/** The choice of a plan, and what a run reports beyond its epochs. */
export class TrainingState {
  budget = $state<Budget>('balanced');
  engine = $state<EngineChoice>('auto');
  seed = $state(1);
  recipe = $state(usualRecipe);
  /** The run whose encoder the network starts from. */
  startFrom = $state<RunId | null>(null);
  /** Numbers by hand; null leaves them to the plan. */
  epochs = $state<number | null>(null);
  /** E_s, from 0. */
  startEpoch = $state<number | null>(null);
  /** α */
  targetMomentum = $state<number | null>(null);

  /** The newest plan there is, which may answer an older choice; see `isPlanned` and `planError`. */
  plan = $state.raw<TrainingPlan | null>(null);
  planError = $state.raw<string | null>(null);
  recipes = $state.raw<RecipeOffer[] | null>(null);
  engines = $state.raw<EngineReport[] | null>(null);

  /** Decoding of the images before the first epoch. */
  preparing = $state.raw<{ done: number; total: number } | null>(null);
  batch = $state.raw<BatchReport | null>(null);
  doubts = $state.raw<SampleCard[]>([]);
  starting = $state(false);
  /** What the run was asked for and has not done yet. */
  stopping = $state<'pause' | 'cancel' | null>(null);
  /** A run that can go on, and is not the newest: newer ones came to nothing. */
  earlierRun = $state.raw<RunSummary | null>(null);

  /** The choice that the plan or its error answers. */
  #planned = $state.raw<TrainingRequest | null>(null);
  /** Whether the plan, or the error, is the answer to what is chosen now. */
  readonly isPlanned = $derived(JSON.stringify(this.#planned) === JSON.stringify(this.request));
  readonly hasOverrides = $derived(this.epochs !== null || this.startEpoch !== null || this.targetMomentum !== null);

  /** What is wrong with the numbers by hand, in the window's words, where epochs count from 1; null leaves it to the service. */
  readonly numbersProblem = $derived.by(() => {
    const { epochs, startEpoch, targetMomentum } = this;
    if (epochs !== null && !(Number.isSafeInteger(epochs) && epochs >= 1))
      return 'Epochs must be a whole number from 1.';
    if (startEpoch !== null && !(Number.isSafeInteger(startEpoch) && startEpoch >= 0))
      return 'The epoch from which belief moves must be a whole number from 1.';
    if (startEpoch !== null && startEpoch >= (epochs ?? this.plan?.epochs ?? Infinity)) {
      const run = epochs === null ? 'this run' : `a run of ${formatCountOf(epochs, 'epoch')}`;
      return `Belief cannot move from epoch ${startEpoch + 1} on in ${run}. Choose an earlier epoch, or more epochs.`;
    }
    if (targetMomentum !== null && !(targetMomentum > 0 && targetMomentum < 1))
      return 'The inertia of belief (α) must lie between 0 and 1, and be neither of them.';
    return null;
  });

  readonly #app: AppState;
  #planRequest = 0;

  constructor(app: AppState) {
    this.#app = app;
  }

  get request(): TrainingRequest {
    return {
      budget: this.budget,
      engine: this.engine,
      seed: this.seed,
      recipe: this.recipe,
      startFrom: this.startFrom,
      preset: null,
      overrides: { epochs: this.epochs, startEpoch: this.startEpoch, targetMomentum: this.targetMomentum },
    };
  }

  /** Back to what the plan thinks best. */
  clearOverrides(): void {
    this.epochs = null;
    this.startEpoch = null;
    this.targetMomentum = null;
  }

  /** A plan that does the same as a run once more. */
  planAgain({ plan }: RunSummary): void {
    this.recipe = plan.recipe;
    this.startFrom = plan.startFrom;
    this.clearOverrides();
  }

  /** A plan that learns the labels, beginning with the encoder that a run has left. */
  planFrom(run: RunSummary): void {
    this.recipe = usualRecipe;
    this.startFrom = run.id;
    this.clearOverrides();
  }

  /** Whether a run learns labels, and so has doubts about them; one that does not leaves an encoder to start from. */
  learnsLabels(run: RunSummary): boolean {
    const latest = run.epochs.at(-1);
    if (latest !== undefined) return latest.accuracy !== null;
    return this.recipes?.find((recipe) => recipe.name === run.plan.recipe)?.gives !== 'encoder';
  }

  /** Follows the run until the returned function is called. */
  listen(): () => void {
    return subscribeTo(this.#app.transport, 'training', (event) => {
      if (event.kind === 'preparing') this.preparing = { done: event.done, total: event.total };
      if (event.kind === 'batch') this.batch = event;
      // A small data set has epochs of one or two batches, which are not told of.
      if (event.kind === 'batch' || event.kind === 'epoch') this.preparing = null;
      if (event.kind === 'epoch') void this.loadDoubts();
      if (event.kind === 'ended') {
        this.preparing = null;
        this.batch = null;
        this.stopping = null;
        void this.loadDoubts();
      }
    });
  }

  async loadEngines(): Promise<void> {
    const result = await this.#app.client.listEngines({ measure: false });
    if (result.ok) this.engines = result.value;
  }

  async loadRecipes(): Promise<void> {
    const result = await this.#app.client.listRecipes({});
    if (result.ok) this.recipes = result.value;
  }

  async loadPlan(request: TrainingRequest): Promise<void> {
    this.#planRequest += 1;
    const current = this.#planRequest;
    const result = await this.#app.client.planTraining(request);
    if (current !== this.#planRequest) return;
    this.#planned = request;
    if (result.ok) this.plan = result.value;
    this.planError = result.ok ? null : result.error.message;
  }

  async loadDoubts(): Promise<void> {
    const { client } = this.#app;
    const queue = await client.queryQueue({ filter: { ...emptyFilter, flaggedOnly: true }, sort: 'doubt' });
    if (!queue.ok || queue.value.ids.length === 0) {
      this.doubts = [];
      return;
    }
    const cards = await client.getSamples({ ids: [...queue.value.ids.subarray(0, doubtsShown)] });
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

  /** Goes on with a run that has stopped. */
  async resume({ id }: RunSummary): Promise<void> {
    this.starting = true;
    this.batch = null;
    this.preparing = null;
    const run = this.#app.valueOrNotice(await this.#app.client.resumeTraining({ runId: id }));
    // Events of the run may have come before this answer; they know more.
    if (run !== null && !(this.#app.run?.id === id && this.#app.isTraining)) this.#app.run = run;
    this.starting = false;
  }

  async loadEarlierRun(): Promise<void> {
    const result = await this.#app.client.getResumableRun({});
    const run = result.ok ? result.value : null;
    this.earlierRun = run?.id === this.#app.run?.id ? null : run;
  }

  pause(): Promise<void> {
    return this.#stop('pause');
  }

  cancel(): Promise<void> {
    return this.#stop('cancel');
  }

  async #stop(how: 'pause' | 'cancel'): Promise<void> {
    if (this.stopping !== null) return;
    this.stopping = how;
    const { client } = this.#app;
    this.#app.valueOrNotice(await (how === 'pause' ? client.pauseTraining({}) : client.cancelTraining({})));
    // It has ended by now, unless another Winnow trains it.
    this.stopping = null;
  }
}
