import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type {
  ApiEventName,
  ApiEvents,
  ApiHandlers,
  ProjectSummary,
  QueueFilter,
  RecipeOffer,
  ReviewChange,
  TrainingRequest,
} from '../../shared/api.ts';
import {
  problemKinds,
  reviewStates,
  type ClassId,
  type EpochReport,
  type Finding,
  type Problem,
  type ReviewState,
  type RunSummary,
  type SampleCard,
  type SampleId,
  type TrainingPlan,
  type Triage,
} from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';

/*
 * A service in memory for working on the window alone: real pictures from a folder with a labels.csv, invented findings.
 * It is never part of the app; the journeys run against the real service.
 */

export interface FakeOptions {
  /** Folder with `images/` and `labels.csv` (columns file, then the label). */
  folder: string;
  /** Repeats the pictures until there are this many samples; null for as many as there are pictures. */
  samples: number | null;
  /** With a project open from the start. */
  open: boolean;
  /** With a finished run. */
  trained: boolean;
  /** Recipe of that run; `sat` when not given. */
  recipe?: string;
}

export interface FakeService {
  handlers: ApiHandlers;
  subscribe<E extends ApiEventName>(event: E, listener: (payload: ApiEvents[E]) => void): () => void;
  imagePath(id: SampleId): string | null;
}

interface FakeSample {
  id: SampleId;
  path: string;
  given: ClassId;
  state: ReviewState;
  current: ClassId | null;
  finding: Finding;
  decidedAt: string | null;
}

interface FakeAction {
  label: string;
  changes: { sample: FakeSample; before: [ReviewState, ClassId | null]; after: [ReviewState, ClassId | null] }[];
}

export async function createFakeService(options: FakeOptions): Promise<FakeService> {
  const rows = (await readFile(path.join(options.folder, 'labels.csv'), 'utf8')).trim().split('\n').slice(1);
  const random = createRandom(7);
  const pictures = rows.map((row) => {
    const [file = '', label = ''] = row.split(',');
    return { file, label };
  });
  const classNames = [...new Set(pictures.map((picture) => picture.label))].sort();
  const classIds = new Map(classNames.map((name, index) => [name, index + 1]));
  const total = options.samples ?? pictures.length;
  const samples: FakeSample[] = [];
  for (let index = 0; index < total; index += 1) {
    const picture = pictures[index % pictures.length];
    if (picture === undefined) break;
    const trueClass = classIds.get(picture.label) ?? 1;
    const wrong = random() < 0.08;
    const given = wrong ? 1 + Math.floor(random() * classNames.length) : trueClass;
    const score = wrong ? 0.55 + 0.45 * random() : random() ** 4 * 0.8;
    const suggested = score > 0.5 ? (wrong ? trueClass : 1 + Math.floor(random() * classNames.length)) : given;
    samples.push({
      id: index + 1,
      path: picture.file,
      given,
      state: 'unreviewed',
      current: given,
      decidedAt: null,
      finding: {
        sampleId: index + 1,
        suggestedClassId: suggested,
        score,
        weight: 0.5 + 0.5 * random(),
        givenTarget: 1 - score,
        suggestedTarget: suggested === given ? 1 - score : score * 0.9,
        flipEpoch: score > 0.5 ? 8 + Math.floor(random() * 14) : null,
        flagged: score >= 0.5,
        abstention:
          recipeOf(options.recipe ?? 'sat').gives === 'triage' ? 0.02 + 0.9 * score ** 1.5 + 0.06 * random() : null,
      },
    });
  }
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const classes = classNames.map((name, index) => {
    const members = samples.filter((sample) => sample.given === index + 1);
    return { id: index + 1, name, count: members.length, exampleIds: members.slice(0, 8).map((sample) => sample.id) };
  });
  const problems: Problem[] = problemKinds.map((kind, index) => ({
    path: `${classNames[index % classNames.length] ?? 'x'}/scan ${index + 1} “copy”.jpg`,
    kind,
    reason:
      kind === 'truncated'
        ? 'The file ends before the picture does. Copy it again from where it came.'
        : `The file is ${kind.replaceAll('-', ' ')}. Look at it in an image viewer, or remove it.`,
    severity: kind === 'wrong-extension' ? 'warning' : 'error',
  }));

  const listeners = new Map<string, Set<(payload: never) => void>>();
  const emit = <E extends ApiEventName>(event: E, payload: ApiEvents[E]): void => {
    for (const listener of listeners.get(event) ?? []) (listener as (payload: ApiEvents[E]) => void)(payload);
  };

  const plan: TrainingPlan = {
    engine: 'tensorflow',
    recipe: options.recipe ?? 'sat',
    budget: 'balanced',
    seed: 1,
    network: 'compact',
    resolution: 48,
    width: 32,
    epochs: 30,
    startEpoch: 8,
    targetMomentum: 0.9,
    batchSize: 128,
    optimizer: 'sgd-nesterov',
    learningRate: 0.1,
    schedule: { kind: 'one-cycle' },
    weightDecay: 5e-4,
    augmentation: 'shift-flip',
    attack: null,
    preset: null,
    startFrom: null,
    samples: total,
    classes: classes.length,
    gflopPerImage: 0.07,
    expectedSeconds: 470,
    reasons: [
      'Images are seen at 48 × 48 pixels: most of yours are larger, but at this size each pass takes 15 seconds.',
      '30 epochs, because with 3,068 images fewer would leave the rarest class unlearned.',
      'Targets adapt from epoch 9 on, when plain training agrees with most labels but has not yet learned the wrong ones by heart.',
      'TensorFlow on 2 processor threads was measured at 71 GFLOP/s; WebAssembly makes about 5.',
    ],
  };
  let project: { name: string } | null = options.open ? { name: 'clothing' } : null;
  let run: RunSummary | null = options.trained
    ? {
        id: 1,
        status: 'done',
        plan,
        epochs: Array.from({ length: plan.epochs }, (_, epoch) => fakeEpoch(epoch, plan)),
        startedAt: '2026-01-10T09:00:00Z',
        endedAt: '2026-01-10T09:08:00Z',
        error: null,
      }
    : null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let importCancelled = false;
  const actions: FakeAction[] = [];
  const undone: FakeAction[] = [];

  const hasFindings = (): boolean => run?.epochs.at(-1) !== undefined && run.epochs.at(-1)?.accuracy !== null;
  const rankOf = (sample: FakeSample): number => sample.finding.score;
  const counts = (): Record<ReviewState, number> => {
    const result = Object.fromEntries(reviewStates.map((state) => [state, 0])) as Record<ReviewState, number>;
    for (const sample of samples) result[sample.state] += 1;
    return result;
  };
  const summary = (): ProjectSummary => {
    if (project === null) throw new AppError('no-project', 'No project is open.');
    return {
      path: `/home/ada/projects/${project.name}.winnow`,
      name: project.name,
      imageFolder: path.join(options.folder, 'images'),
      imageFolderMissing: false,
      samples: samples.length,
      goneSamples: 0,
      classes,
      problems: problems.length,
      review: counts(),
      latestRun: run,
      undoLabel: actions.at(-1)?.label ?? null,
      redoLabel: undone.at(-1)?.label ?? null,
    };
  };
  const toCard = (sample: FakeSample): SampleCard => ({
    id: sample.id,
    path: sample.path,
    givenClassId: sample.given,
    state: sample.state,
    currentClassId: sample.current,
    finding: hasFindings() ? sample.finding : null,
    version: 'v1',
  });
  const need = (id: SampleId): FakeSample => {
    const sample = byId.get(id);
    if (sample === undefined) throw new AppError('not-found', `There is no sample ${id} in this project.`);
    return sample;
  };
  const matches = (sample: FakeSample, filter: QueueFilter): boolean =>
    (filter.states.length === 0 || filter.states.includes(sample.state)) &&
    (filter.givenClassIds.length === 0 || filter.givenClassIds.includes(sample.given)) &&
    (filter.suggestedClassIds.length === 0 || filter.suggestedClassIds.includes(sample.finding.suggestedClassId)) &&
    (!filter.flaggedOnly || (hasFindings() && sample.finding.flagged)) &&
    (filter.minScore === null || sample.finding.score >= filter.minScore) &&
    (filter.maxScore === null || sample.finding.score <= filter.maxScore) &&
    (filter.triage === null || rankOf(sample) < filter.triage.threshold === (filter.triage.part === 'accept')) &&
    sample.path.toLowerCase().includes(filter.search.toLowerCase());
  const toChange = (action: FakeAction, direction: ReviewChange['direction']): ReviewChange => {
    const change: ReviewChange = {
      label: action.label,
      direction,
      samples: action.changes.map(({ sample }) => ({
        id: sample.id,
        state: sample.state,
        currentClassId: sample.current,
      })),
      review: counts(),
      undoLabel: actions.at(-1)?.label ?? null,
      redoLabel: undone.at(-1)?.label ?? null,
      classes,
    };
    emit('reviewChanged', change);
    return change;
  };

  const handlers: ApiHandlers = {
    getAppInfo: () => ({
      name: 'Winnow',
      version: '0.1.0',
      host: 'server',
      homeFolder: options.folder,
      pathSeparator: '/',
    }),
    listFolder: async ({ path: asked, showFiles }) => {
      const { readdir } = await import('node:fs/promises');
      const folder = asked ?? options.folder;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
        throw new AppError('folder-missing', `${folder} is not there. Check the path, or start from your home folder.`);
      });
      return {
        path: folder,
        parent: folder === '/' ? null : path.dirname(folder),
        folders: entries
          .filter((entry) => entry.isDirectory())
          .map((entry) => entry.name)
          .sort(),
        files: entries
          .filter(
            (entry) => entry.isFile() && (entry.name.endsWith('.winnow') || (showFiles && entry.name.endsWith('.csv'))),
          )
          .map((entry) => entry.name),
        images: entries.filter((entry) => /\.jpe?g$/.test(entry.name)).length,
      };
    },
    chooseFolder: () => ({ kind: 'unavailable' }),
    chooseProjectFile: () => ({ kind: 'unavailable' }),
    chooseSavePath: () => ({ kind: 'unavailable' }),
    listRecentProjects: () => [
      {
        path: '/home/ada/projects/clothing.winnow',
        name: 'clothing',
        openedAt: new Date().toISOString(),
        samples: 3068,
        reviewed: 212,
        missing: false,
      },
      {
        path: '/home/ada/work/wafer inspection/line 3, spring.winnow',
        name: 'line 3, spring',
        openedAt: new Date(Date.now() - 3 * 86_400_000).toISOString(),
        samples: 48_112,
        reviewed: 4800,
        missing: false,
      },
      {
        path: '/media/usb/leaves.winnow',
        name: 'leaves',
        openedAt: '2025-11-02T10:00:00Z',
        samples: 900,
        reviewed: 0,
        missing: true,
      },
    ],
    forgetRecentProject: () => null,
    suggestProjectPath: ({ folder }) => ({ path: `${folder}.winnow`, exists: false }),
    importFolder: async () => {
      importCancelled = false;
      for (let done = 0; done <= total; done += Math.ceil(total / 60)) {
        if (importCancelled) throw new AppError('cancelled', 'The import was stopped.');
        emit('importProgress', {
          phase: done === 0 ? 'scanning' : 'reading',
          done,
          total: done === 0 ? null : total,
          imagesPerSecond: 412,
          secondsLeft: (total - done) / 412,
          problems: Math.floor(done / 400),
        });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      project = { name: 'clothing' };
      emit('projectChanged', summary());
      return {
        project: summary(),
        added: total,
        changed: 0,
        moved: 0,
        gone: 0,
        unchanged: 0,
        problems: problems.length,
        conflictingDuplicates: 2,
        seconds: 7.4,
      };
    },
    cancelImport: () => {
      importCancelled = true;
      return null;
    },
    openProject: () => {
      project = { name: 'clothing' };
      emit('projectChanged', summary());
      return summary();
    },
    closeProject: () => {
      project = null;
      emit('projectChanged', null);
      return null;
    },
    getProject: () => (project === null ? null : summary()),
    relocateImages: () => summary(),
    listProblems: ({ offset, limit }) => ({ total: problems.length, problems: problems.slice(offset, offset + limit) }),
    listEngines: () => [
      {
        name: 'tensorflow',
        available: true,
        device: 'CPU, 2 threads',
        version: '2.18.0',
        source: '/opt/tf',
        trainingGflops: 71,
        absentBecause: null,
      },
      {
        name: 'wasm',
        available: true,
        device: 'CPU, 1 thread',
        version: '4.22.0',
        source: null,
        trainingGflops: 5,
        absentBecause: null,
      },
    ],
    listRecipes: () =>
      recipes.map((recipe) => ({
        ...recipe,
        suggestedBecause:
          recipe.gives === 'encoder'
            ? `There are ${total} images and perhaps one label in ten is wrong: what they look like can be learned without the labels first.`
            : null,
      })),
    planTraining: async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return planFor(plan, request);
    },
    startTraining: (request) => {
      const chosen = planFor(plan, request);
      const started: RunSummary = {
        id: (run?.id ?? 0) + 1,
        status: 'preparing',
        plan: chosen,
        epochs: [],
        startedAt: new Date().toISOString(),
        endedAt: null,
        error: null,
      };
      run = started;
      let tick = 0;
      timer = setInterval(() => {
        if (run === null) return;
        tick += 1;
        if (tick <= 10) {
          emit('training', { kind: 'preparing', run, done: Math.round((total * tick) / 10), total });
          return;
        }
        const step = tick - 11;
        const epoch = Math.floor(step / 4);
        const fraction = (step % 4) / 4;
        if (fraction === 0 && epoch > 0) {
          const report = fakeEpoch(epoch - 1, chosen);
          run = { ...run, status: 'running', epochs: [...run.epochs, report] };
          emit('training', { kind: 'epoch', runId: run.id, report });
        }
        if (epoch >= chosen.epochs || (process.env['FAKE_FAIL'] !== undefined && epoch === 6)) {
          clearInterval(timer);
          const failed = epoch < chosen.epochs;
          run = {
            ...run,
            status: failed ? 'failed' : 'done',
            endedAt: new Date().toISOString(),
            error: failed
              ? 'The trainer was ended by the system (SIGKILL), most likely because memory ran out. Its last words: "Allocation of 2147483648 exceeds 10% of free system memory". Choose the quick budget, or close other programs, and start again.'
              : null,
          };
          emit('training', { kind: 'ended', run });
          return;
        }
        run = { ...run, status: 'running' };
        const loss = fakeEpoch(epoch, chosen).loss;
        emit('training', {
          kind: 'batch',
          runId: run.id,
          epoch,
          fraction,
          loss,
          imagesPerSecond: 214,
          secondsLeft: (chosen.epochs - epoch - fraction) * 15,
        });
      }, 150);
      return started;
    },
    cancelTraining: () => {
      clearInterval(timer);
      if (run !== null) {
        run = { ...run, status: 'cancelled', endedAt: new Date().toISOString() };
        emit('training', { kind: 'ended', run });
      }
      return null;
    },
    getRun: () => run,
    getFindings: () =>
      !hasFindings() || run === null
        ? null
        : {
            runId: run.id,
            epoch: run.epochs.length - 1,
            cut: {
              value: 0.5,
              explanation:
                'Labels with a doubt of 0.50 or more are flagged. The value lies where doubt separates into two groups in your data.',
            },
            flagged: {
              value: samples.filter((sample) => sample.finding.flagged).length,
              explanation: 'Images whose doubt reaches the cut. They are shown first, worst first.',
            },
            noiseRate: {
              value: 0.083,
              explanation:
                'About 8.3 % of all labels are probably wrong, estimated from how the targets moved away from the given labels.',
            },
            expectedPrecision: {
              value: 0.71,
              explanation: 'Of 100 flagged images, about 71 are expected to have a wrong label.',
            },
            expectedRecall: {
              value: 0.78,
              explanation: 'Of 100 wrong labels, about 78 are expected to be among the flagged.',
            },
          },
    getTriage: () => {
      if (!hasFindings() || run === null) return null;
      const ordered = samples.toSorted((first, second) => rankOf(first) - rankOf(second));
      const expected = ordered.map((sample) => 0.9 * sample.finding.score ** 3);
      const all = expected.reduce((sum, value) => sum + value, 0);
      const curve: Triage['curve'] = [];
      for (let percent = 1; percent <= 100; percent += 1) {
        const accepted = Math.round((percent / 100) * ordered.length);
        const wrong = expected.slice(0, accepted).reduce((sum, value) => sum + value, 0);
        if (accepted === 0 || accepted === curve.at(-1)?.accepted) continue;
        curve.push({
          coverage: accepted / ordered.length,
          accepted,
          threshold: accepted === ordered.length ? 1.000001 : rankOf(ordered[accepted] ?? need(1)),
          expectedError: wrong / accepted,
          expectedErrorsLeft: all - wrong,
        });
      }
      return { runId: run.id, samples: ordered.length, curve };
    },
    listNeighbours: async ({ id, limit }) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (run === null || run.epochs.length === 0) return [];
      const { finding } = need(id);
      const alike = samples.filter((other) => other.id !== id && other.given === finding.suggestedClassId);
      const start = alike.length === 0 ? 0 : (id * 7) % alike.length;
      return [...alike.slice(start), ...alike.slice(0, start)]
        .slice(0, limit)
        .map((other, index) => ({ sampleId: other.id, similarity: 0.97 - 0.03 * index }));
    },
    queryQueue: ({ filter, sort }) => {
      const found = samples.filter((sample) => matches(sample, filter));
      if (sort === 'doubt' && hasFindings()) found.sort((first, second) => second.finding.score - first.finding.score);
      if (sort === 'abstention' && hasFindings())
        found.sort(
          (first, second) =>
            (second.finding.abstention ?? rankOf(second)) - (first.finding.abstention ?? rankOf(first)),
        );
      if (sort === 'confidence') found.sort((first, second) => second.finding.weight - first.finding.weight);
      if (sort === 'path') found.sort((first, second) => first.path.localeCompare(second.path));
      if (sort === 'decided')
        found.sort((first, second) => (second.decidedAt ?? '').localeCompare(first.decidedAt ?? ''));
      const pairs = new Map<string, number>();
      for (const sample of found) {
        if (sample.finding.suggestedClassId === sample.given) continue;
        const key = `${sample.given} ${sample.finding.suggestedClassId}`;
        pairs.set(key, (pairs.get(key) ?? 0) + 1);
      }
      return {
        ids: found.map((sample) => sample.id),
        pairs: [...pairs]
          .map(([key, count]) => {
            const [givenClassId = 0, suggestedClassId = 0] = key.split(' ').map(Number);
            return { givenClassId, suggestedClassId, count };
          })
          .sort((first, second) => second.count - first.count)
          .slice(0, 50),
      };
    },
    getSamples: ({ ids }) => ids.map((id) => toCard(need(id))),
    getSample: ({ id }) => {
      const sample = need(id);
      const { finding } = sample;
      const epochs = Array.from({ length: plan.epochs }, (_, epoch) => epoch);
      const flip = finding.flipEpoch ?? 1000;
      const rise = (epoch: number): number => 1 / (1 + Math.exp(-(epoch - flip) / 2.5));
      const others = classes.filter((item) => item.id !== finding.suggestedClassId && item.id !== sample.given);
      return {
        ...toCard(sample),
        width: 400,
        height: 533,
        byteSize: 34_112,
        format: 'jpeg',
        decidedAt: sample.decidedAt,
        topTargets: [
          { classId: finding.suggestedClassId, target: finding.suggestedTarget },
          ...(finding.suggestedClassId === sample.given
            ? []
            : [{ classId: sample.given, target: finding.givenTarget }]),
          ...others.slice(0, 3).map((item, index) => ({ classId: item.id, target: 0.04 / (index + 1) })),
        ],
        history: {
          epochs,
          given: epochs.map((epoch) => 1 - rise(epoch) * (1 - finding.givenTarget)),
          suggested: epochs.map((epoch) => rise(epoch) * finding.suggestedTarget),
          weight: epochs.map((epoch) => Math.max(1 - rise(epoch), rise(epoch) * finding.suggestedTarget)),
        },
        duplicateIds: [],
      };
    },
    decide: ({ sampleIds, decision }) => {
      const chosen = sampleIds.map(need);
      let newClass: ClassId | null = null;
      if (decision.kind === 'relabel-new') {
        newClass = classes.length + 1;
        classes.push({ id: newClass, name: decision.className, count: 0, exampleIds: [] });
      }
      const after = (sample: FakeSample): [ReviewState, ClassId | null] => {
        switch (decision.kind) {
          case 'confirm':
            return ['confirmed', sample.given];
          case 'relabel':
            return [decision.classId === sample.given ? 'confirmed' : 'relabeled', decision.classId];
          case 'relabel-new':
            return ['relabeled', newClass];
          case 'accept-suggestion':
            return [
              sample.finding.suggestedClassId === sample.given ? 'confirmed' : 'relabeled',
              sample.finding.suggestedClassId,
            ];
          case 'drop':
            return ['dropped', null];
          case 'skip':
            return ['skipped', sample.given];
          case 'reopen':
            return ['unreviewed', sample.given];
        }
      };
      const action: FakeAction = {
        label: `${decision.kind} ${chosen.length === 1 ? (chosen[0]?.path.split('/').at(-1) ?? '') : `${chosen.length} images`}`,
        changes: chosen.map((sample) => ({ sample, before: [sample.state, sample.current], after: after(sample) })),
      };
      for (const { sample, after: target } of action.changes) apply(sample, target);
      actions.push(action);
      undone.length = 0;
      return toChange(action, 'done');
    },
    undo: () => {
      const action = actions.pop();
      if (action === undefined) return null;
      undone.push(action);
      for (const { sample, before } of action.changes) apply(sample, before);
      return toChange(action, 'undone');
    },
    redo: () => {
      const action = undone.pop();
      if (action === undefined) return null;
      actions.push(action);
      for (const { sample, after } of action.changes) apply(sample, after);
      return toChange(action, 'redone');
    },
    exportLabels: ({ out, overwrite }) => {
      if (!overwrite && out.includes('clothing'))
        throw new AppError('already-exists', `${out} is already there. Choose another name, or replace it.`);
      const review = counts();
      return { out, written: samples.length - review.dropped, relabeled: review.relabeled, dropped: review.dropped };
    },
  };

  return {
    handlers,
    subscribe: (event, listener) => {
      const set = listeners.get(event) ?? new Set();
      set.add(listener);
      listeners.set(event, set);
      return () => set.delete(listener);
    },
    imagePath: (id) => {
      const sample = byId.get(id);
      return sample === undefined ? null : path.join(options.folder, 'images', sample.path);
    },
  };
}

function apply(sample: FakeSample, [state, current]: [ReviewState, ClassId | null]): void {
  sample.state = state;
  sample.current = current;
  sample.decidedAt = state === 'unreviewed' ? null : new Date().toISOString();
}

const recipes: readonly Omit<RecipeOffer, 'suggestedBecause'>[] = [
  {
    name: 'sat',
    title: 'Self-adaptive training',
    sentence:
      'Learns your classes, then stops believing labels that do not fit; the usual choice for finding wrong labels.',
    gives: 'doubts',
  },
  {
    name: 'sat-symmetric',
    title: 'Self-adaptive, symmetric',
    sentence: 'The same with a loss that wrong labels pull less; worth a try when you expect very many wrong labels.',
    gives: 'doubts',
  },
  {
    name: 'selective',
    title: 'With abstention',
    sentence: 'Also learns to say “I cannot tell”, so that you can look first at the images it finds hard.',
    gives: 'triage',
  },
  {
    name: 'pretrain',
    title: 'Images first',
    sentence:
      'Learns from the images alone, without any label; a start for the usual choice when labels are few or doubtful.',
    gives: 'encoder',
  },
  {
    name: 'cross-entropy',
    title: 'Ordinary training',
    sentence: 'Believes every label to the end, so it learns the wrong ones too; a baseline to compare with.',
    gives: 'doubts',
  },
];

function recipeOf(name: string): Omit<RecipeOffer, 'suggestedBecause'> {
  const recipe = recipes.find((candidate) => candidate.name === name);
  if (recipe === undefined) throw new AppError('invalid-input', `There is no recipe ${name}.`);
  return recipe;
}

function planFor(usual: TrainingPlan, { budget, seed, recipe, startFrom, overrides }: TrainingRequest): TrainingPlan {
  const factor = { quick: 0.3, balanced: 1, thorough: 3 }[budget];
  const epochs = overrides.epochs ?? Math.round(usual.epochs * factor);
  const startEpoch = overrides.startEpoch ?? (recipeOf(recipe).gives === 'encoder' ? 0 : Math.round(0.27 * epochs));
  const targetMomentum = overrides.targetMomentum ?? usual.targetMomentum;
  if (epochs < 1 || epochs > 1000) throw new AppError('invalid-input', 'Epochs must be a whole number from 1 to 1000.');
  if (startEpoch >= epochs)
    throw new AppError(
      'invalid-input',
      `Targets cannot adapt from epoch ${startEpoch + 1} on in a run of ${epochs} epochs. Choose an earlier epoch, or more epochs.`,
    );
  if (targetMomentum <= 0 || targetMomentum >= 1)
    throw new AppError('invalid-input', `α is ${targetMomentum}; it must lie between 0 and 1.`);
  return {
    ...usual,
    budget,
    seed,
    recipe,
    startFrom,
    epochs,
    startEpoch,
    targetMomentum,
    expectedSeconds: (470 * epochs) / 30,
  };
}

function fakeEpoch(epoch: number, plan: TrainingPlan): EpochReport {
  const share = epoch / plan.epochs;
  const learnsLabels = recipeOf(plan.recipe).gives !== 'encoder';
  return {
    epoch,
    loss: 0.35 + 1.9 * Math.exp(-4 * share) + 0.04 * Math.sin(epoch * 2.3),
    accuracy: learnsLabels ? 0.92 - 0.7 * Math.exp(-5 * share) + 0.01 * Math.sin(epoch * 1.7) : null,
    spread: learnsLabels ? null : 0.94 - 0.5 * Math.exp(-6 * share) + 0.01 * Math.sin(epoch * 1.7),
    learningRate: 0.1 * (1 - share),
    imagesPerSecond: 214 + 6 * Math.sin(epoch),
    seconds: (epoch + 1) * 15,
    secondsLeft: (plan.epochs - epoch - 1) * 15,
    doubts: learnsLabels ? Math.round(240 * Math.min(1, share * 2)) : 0,
  };
}

/** mulberry32: small, seeded, good enough for invented data. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
