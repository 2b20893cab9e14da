import { createContext } from 'svelte';
import type { ApiClient, AppInfo, ProjectSummary, QueueQuery, ReviewChange } from '../shared/api.ts';
import type { ClassId, ClassSummary, FindingsSummary, RunSummary, SampleId } from '../shared/domain.ts';
import type { Result } from '../shared/result.ts';
import { createClient, subscribeTo, type Transport } from '../shared/transport.ts';
import type { ConnectionStatus, Link } from './client.ts';

export const screens = [
  'home',
  'import',
  'images',
  'training',
  'overview',
  'review',
  'triage',
  'classes',
  'export',
] as const;
export type Screen = (typeof screens)[number];

export interface Notice {
  id: number;
  kind: 'info' | 'error';
  message: string;
}

export const [getAppState, setAppState] = createContext<AppState>();

const noClasses: readonly ClassSummary[] = [];

/** What the whole window shares: the open project, its findings, the screen, the connection, and passing notices. */
export class AppState {
  readonly client: ApiClient;
  readonly transport: Transport;
  readonly pathForFile: Link['pathForFile'];

  connection = $state<ConnectionStatus>('connecting');
  /** False until the first answers are in. */
  ready = $state(false);
  info = $state.raw<AppInfo | null>(null);
  project = $state.raw<ProjectSummary | null>(null);
  run = $state.raw<RunSummary | null>(null);
  findings = $state.raw<FindingsSummary | null>(null);
  screen = $state<Screen>('home');
  notices = $state.raw<Notice[]>([]);
  /** The folder that the import screen starts with. */
  importFolder = $state.raw<string | null>(null);
  /** The sample that review begins with, when one was chosen elsewhere. */
  sampleToReview: SampleId | null = null;
  /** The queue that review begins with, when one was chosen elsewhere. */
  queueToReview: QueueQuery | null = null;
  /** The class that review shows so that a part of it becomes a class of its own. */
  classToSplit = $state.raw<ClassId | null>(null);
  /** Why the window cannot work at all. */
  fatal = $state.raw<string | null>(null);
  /** Counts up when the connection comes back, so that screens read again what they show. */
  generation = $state(0);

  /** Of the project. The same array until a class changes, so that a decision, which changes the project, touches no name on the screen. */
  readonly classes = $derived<readonly ClassSummary[]>(this.project?.classes ?? noClasses);
  readonly classById = $derived.by<ReadonlyMap<ClassId, ClassSummary>>(
    () => new Map(this.classes.map((item) => [item.id, item])),
  );
  readonly isTraining = $derived(this.run?.status === 'preparing' || this.run?.status === 'running');

  readonly #stops: (() => void)[] = [];
  #nextNotice = 1;
  /** Of the project that was opened last. */
  #findingsRead: Promise<void> = Promise.resolve();

  constructor(link: Link) {
    this.transport = link.transport;
    this.client = createClient(link.transport);
    this.pathForFile = link.pathForFile;
    this.#stops.push(
      link.watchConnection((status) => {
        const wasLost = this.connection === 'lost';
        this.connection = status;
        if (status === 'open' && wasLost) void this.load();
      }),
      subscribeTo(link.transport, 'projectChanged', (project) => {
        this.#setProject(project);
      }),
      subscribeTo(link.transport, 'reviewChanged', (change) => {
        this.applyReviewChange(change);
      }),
      subscribeTo(link.transport, 'training', (event) => {
        if (event.kind === 'preparing' || event.kind === 'changed' || event.kind === 'ended') this.run = event.run;
        if (event.kind === 'epoch' && this.run?.id === event.runId) {
          // Also when a run that went on does an epoch again.
          const epochs = this.run.epochs.filter((epoch) => epoch.epoch < event.report.epoch);
          this.run = { ...this.run, status: 'running', epochs: [...epochs, event.report] };
        }
        if (event.kind === 'epoch' || event.kind === 'ended') void this.loadFindings();
      }),
    );
  }

  /** Reads what the service has open, and goes to the screen that was shown before or that makes sense now. */
  async load(): Promise<void> {
    const [info, project, findings] = await Promise.all([
      this.client.getAppInfo({}),
      this.client.getProject({}),
      // Refused while no project is open.
      this.client.getFindings({}),
    ]);
    if (!info.ok || !project.ok) {
      this.fatal = info.ok ? (project.ok ? null : project.error.message) : info.error.message;
      return;
    }
    this.fatal = null;
    this.info = info.value;
    this.project = project.value;
    this.run = project.value?.latestRun ?? null;
    this.findings = findings.ok ? findings.value : null;
    if (!this.ready) this.#chooseFirstScreen();
    this.ready = true;
    this.generation += 1;
  }

  show(screen: Screen): void {
    this.screen = screen;
    window.history.replaceState(null, '', `#${screen}`);
  }

  /** Shows review with this sample first, large. */
  reviewSample(id: SampleId): void {
    this.sampleToReview = id;
    this.show('review');
  }

  /** Shows review with this queue instead of the usual one. */
  reviewQueue(query: QueueQuery): void {
    this.queueToReview = query;
    this.show('review');
  }

  /** Whether a step makes sense yet. */
  canShow(screen: Screen): boolean {
    return screen === 'home' || screen === 'import' || this.project !== null;
  }

  /** Opens a project file and shows where its work stands. */
  async openProject(path: string): Promise<boolean> {
    const result = await this.client.openProject({ path });
    if (!result.ok) {
      this.notify('error', result.error.message);
      return false;
    }
    this.#setProject(result.value);
    // Asked for when the event told of the project, before this answer.
    await this.#findingsRead;
    this.show(this.#naturalScreen());
    return true;
  }

  /** Takes over the project that an import has just made or read again. */
  async adoptProject(project: ProjectSummary): Promise<void> {
    this.#setProject(project);
    this.run = project.latestRun;
    await this.loadFindings();
  }

  async closeProject(): Promise<void> {
    const result = await this.client.closeProject({});
    if (!result.ok) {
      this.notify('error', result.error.message);
      return;
    }
    this.#setProject(null);
    this.run = null;
    this.findings = null;
    this.show('home');
  }

  async loadFindings(): Promise<void> {
    const result = await this.client.getFindings({});
    if (result.ok) this.findings = result.value;
  }

  /** Who has decided something by now; it is not part of what each change tells. */
  async loadReviewers(): Promise<void> {
    const result = await this.client.getProject({});
    if (!result.ok || result.value === null || this.project?.path !== result.value.path) return;
    this.project = { ...this.project, reviewers: result.value.reviewers };
  }

  /** Brings counts, undo labels and classes up to date; the same change may arrive twice. */
  applyReviewChange(change: ReviewChange): void {
    if (this.project === null) return;
    const { review, undoLabel, redoLabel } = change;
    const classes = change.classes ?? this.project.classes;
    const isKnown =
      classes === this.project.classes &&
      undoLabel === this.project.undoLabel &&
      redoLabel === this.project.redoLabel &&
      JSON.stringify(review) === JSON.stringify(this.project.review);
    if (!isKnown) this.project = { ...this.project, review, undoLabel, redoLabel, classes };
  }

  /** The value of a result, or null after telling the person what went wrong. */
  valueOrNotice<T>(result: Result<T>): T | null {
    if (result.ok) return result.value;
    if (result.error.code !== 'cancelled') this.notify('error', result.error.message);
    return null;
  }

  notify(kind: Notice['kind'], message: string): void {
    const id = this.#nextNotice;
    this.#nextNotice += 1;
    this.notices = [...this.notices.filter((notice) => notice.message !== message), { id, kind, message }].slice(-3);
    if (kind === 'info') setTimeout(() => this.dismiss(id), 6000);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  className(id: ClassId | null): string {
    return id === null ? '' : (this.classById.get(id)?.name ?? `class ${id}`);
  }

  destroy(): void {
    for (const stop of this.#stops) stop();
  }

  #setProject(project: ProjectSummary | null): void {
    const changed = project?.path !== this.project?.path;
    this.project = project;
    if (changed && this.ready) {
      this.run = project?.latestRun ?? null;
      this.findings = null;
      if (project !== null) this.#findingsRead = this.loadFindings();
      if (project === null && this.screen !== 'home' && this.screen !== 'import') this.show('home');
    }
  }

  /** What was shown before a reload, else the import of the folder that the program was started with, else what makes sense. */
  #chooseFirstScreen(): void {
    this.importFolder = new URLSearchParams(window.location.search).get('folder');
    const hash = window.location.hash.slice(1) || (this.importFolder === null ? '' : 'import');
    const wanted = screens.find((name) => name === hash);
    this.screen = wanted !== undefined && this.canShow(wanted) ? wanted : this.#naturalScreen();
  }

  #naturalScreen(): Screen {
    if (this.project === null) return 'home';
    if (this.isTraining) return 'training';
    return this.findings === null ? 'images' : 'review';
  }
}
