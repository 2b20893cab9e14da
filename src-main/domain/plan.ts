import type { TrainingOverrides } from '../../shared/api.ts';
import type {
  AttackSettings,
  Budget,
  EngineName,
  NetworkName,
  RecipeSummary,
  RunId,
  TrainingPlan,
  TrainingSettings,
} from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';

export interface PlanInput {
  engine: EngineName;
  /** Measured speed of a training step, GFLOP/s. */
  gflops: number;
  budget: Budget;
  seed: number;
  samples: number;
  classes: number;
  /** Median over the samples of the shorter side, pixels. */
  medianSide: number;
  recipe: RecipeTraits;
  /** Takes the place of the budget's numbers. */
  preset: PresetToPlan | null;
  overrides: TrainingOverrides;
  startFrom: StartingRun | null;
  /** GFLOP of one picture's forward pass; sat/models knows it. */
  gflopPerImage: (network: NetworkName, width: number, resolution: number) => number;
}

/** What a plan depends on in a recipe; see sat/recipes. */
export interface RecipeTraits extends Pick<RecipeSummary, 'name' | 'gives'> {
  inputs: NetworkInputs;
  usesLabels: boolean;
  movesTargets: boolean;
  attack?: AttackSettings;
}

/** What a network is given: pixels standardised over the data set, or as they are, from 0 to 1. */
type NetworkInputs = 'standardised' | 'unit';

/** Published settings; see sat/presets. */
export interface PresetToPlan {
  name: string;
  title: string;
  settings: Omit<TrainingSettings, 'engine' | 'seed' | 'classes'>;
}

/** A run whose encoder another starts from. */
export interface StartingRun {
  runId: RunId;
  recipe: Pick<RecipeTraits, 'name' | 'inputs'>;
  network: NetworkName;
  width: number;
  resolution: number;
}

/**
 * Sizes a run so that it fits the budget on this engine: the largest input and network for which most of the wanted epochs
 * can be had; if even the smallest is too slow, fewer epochs, but never fewer than the method needs. A preset, the run that the network
 * starts from and the numbers set by hand come before the budget. Throws `AppError` 'invalid-input' where they do not go together.
 */
export function planTraining(input: PlanInput): TrainingPlan {
  const { engine, budget, seed, samples, classes, recipe, preset, overrides, startFrom } = input;
  requireSense(input);
  const sized = preset === null ? sizeForBudget(input) : sizeOfPreset(input, preset);
  const epochs = overrides.epochs ?? sized.epochs;
  const startEpoch = startEpochFor(input, epochs);
  const settings: TrainingSettings = {
    ...sized.settings,
    engine,
    seed,
    classes,
    recipe: recipe.name,
    epochs,
    startEpoch,
    targetMomentum:
      overrides.targetMomentum ?? sized.settings.targetMomentum ?? targetMomentumFor(recipe, epochs, startEpoch),
    attack: recipe.attack === undefined ? null : (sized.settings.attack ?? recipe.attack),
  };
  const { network, width, resolution } = settings;
  const expectedSeconds = secondsPerEpoch(input, settings) * epochs;
  return {
    ...settings,
    budget,
    preset: preset?.name ?? null,
    startFrom: startFrom?.runId ?? null,
    samples,
    gflopPerImage: input.gflopPerImage(network, width, resolution),
    expectedSeconds,
    reasons: [
      ...sized.reasons,
      `${epochs === 1 ? '1 pass' : `${epochs} passes`} over ${samples.toLocaleString('en')} images: ${overrides.epochs === null ? sized.epochsReason : 'set by hand.'}`,
      ...targetsReason(recipe, settings),
      ...recipeReasons(recipe, settings),
      ...speedReasons(input, expectedSeconds),
    ],
  };
}

/**
 * Throws `AppError` 'invalid-input' where the encoder that one recipe has learned is of no use to the other, because it knows pictures only
 * in another form.
 */
export function requireSameInputs(first: StartingRun['recipe'], second: StartingRun['recipe']): void {
  if (first.inputs === second.inputs) return;
  const nameOf = { standardised: 'standardised pixels', unit: 'pixels as they are, from 0 to 1' };
  throw invalid(
    `The recipe ${second.name} learns from ${nameOf[second.inputs]}, but an encoder of the recipe ${first.name} knows only ` +
      `${nameOf[first.inputs]}. Start from a run of another recipe, or from random weights.`,
  );
}

interface Ambition {
  /** Wall time that the run may take. */
  minutes: number;
  epochs: number;
  leastEpochs: number;
  /** Small sets get more epochs, until there are this many steps. */
  leastSteps: number;
  /** Channels of the stem, from the best to the cheapest. */
  widths: number[];
}

/** What each budget wants when time allows. */
const ambitions: Record<Budget, Ambition> = {
  quick: { minutes: 4, epochs: 14, leastEpochs: 6, leastSteps: 60, widths: [24, 16] },
  balanced: { minutes: 17, epochs: 45, leastEpochs: 10, leastSteps: 1200, widths: [24, 16] },
  thorough: { minutes: 90, epochs: 60, leastEpochs: 20, leastSteps: 3000, widths: [48, 32, 24, 16] },
};

const mostEpochs = 200;
/** A size is taken if at least this share of the wanted epochs fits the time; below it, a smaller network learns more. */
const leastShareOfEpochs = 0.6;
/** From the best to the cheapest; they give way after the widths, because a label often hangs on a detail. */
const resolutions = [128, 96, 64, 48, 32];
/** A run's wall time over that of its measured steps: reading pictures, augmentation and reports. */
const overhead = 1.1;

/** Settings without epochs, E_s and α, which depend on more than the size; α only where a preset has one. */
type SizedSettings = Omit<
  TrainingSettings,
  'engine' | 'seed' | 'classes' | 'recipe' | 'epochs' | 'startEpoch' | 'targetMomentum'
> & { targetMomentum: number | null };

interface SizedRun {
  settings: SizedSettings;
  epochs: number;
  epochsReason: string;
  reasons: string[];
}

function sizeForBudget(input: PlanInput): SizedRun {
  const { budget, samples, medianSide, recipe, startFrom } = input;
  const ambition = ambitions[budget];
  const batchSize = batchSizeFor(samples);
  const stepsPerEpoch = Math.max(1, Math.round(samples / batchSize));
  const wantedEpochs = clamp(Math.ceil(ambition.leastSteps / stepsPerEpoch), ambition.epochs, mostEpochs);
  const usable = resolutions.filter((_, index) => {
    // One step above the pictures' own size at most: enlarging further adds cost and no detail.
    const smaller = resolutions[index + 1];
    return smaller === undefined || smaller < medianSide;
  });
  const sizes: Size[] = usable.flatMap((resolution) =>
    ambition.widths.map((width) => ({ network: 'compact', resolution, width })),
  );
  const affordable = (size: Size): number =>
    Math.floor((ambition.minutes * 60) / secondsPerEpoch(input, { ...size, attack: recipe.attack ?? null }));
  const fitting = sizes.find((size) => affordable(size) >= leastShareOfEpochs * wantedEpochs);
  const { network, width, resolution } = startFrom ?? fitting ?? { network: 'compact', width: 16, resolution: 32 };
  const epochs = clamp(
    affordable({ network, width, resolution }),
    Math.min(ambition.leastEpochs, wantedEpochs),
    wantedEpochs,
  );
  const sizeReason =
    startFrom === null
      ? resolutionReason(resolution, medianSide, usable[0] ?? resolution)
      : `as run ${startFrom.runId}, whose encoder the network starts from; so is the network.`;
  return {
    settings: {
      network,
      width,
      resolution,
      targetMomentum: null,
      batchSize,
      optimizer: 'sgd-nesterov',
      learningRate: (peakLearningRate * batchSize) / 128,
      schedule: { kind: 'one-cycle' },
      weightDecay: 5e-4,
      augmentation: recipe.usesLabels ? 'shift-flip' : 'views',
      attack: null,
    },
    epochs,
    epochsReason: epochsReason(epochs, wantedEpochs, ambition.epochs, budget),
    reasons: [`${resolution} × ${resolution} pixels: ${sizeReason}`],
  };
}

function sizeOfPreset({ medianSide, startFrom }: PlanInput, { name, title, settings }: PresetToPlan): SizedRun {
  const { network, width, resolution, epochs } = settings;
  const start = startFrom === null ? '' : ` The encoder is that of run ${startFrom.runId}.`;
  return {
    settings,
    epochs,
    epochsReason: 'what the preset says.',
    reasons: [
      `The preset ${name} (${title}) takes the place of the time budget: ${network} of width ${width}, with the published schedule.${start}`,
      `${resolution} × ${resolution} pixels: what the preset says; your images are about ${Math.round(medianSide)} pixels on their shorter side.`,
    ],
  };
}

interface Size {
  network: NetworkName;
  width: number;
  resolution: number;
}

/** A training step costs three forward passes: one forward, two for the gradients. */
const passesPerStep = 3;

function secondsPerEpoch(
  { samples, gflops, gflopPerImage, recipe }: PlanInput,
  { network, width, resolution, attack }: Size & { attack: AttackSettings | null },
): number {
  let steps = 1;
  // Each step of the attack takes a gradient of its own; then the picture and the attacked one are both learned.
  if (attack !== null) steps = attack.steps + 2;
  // A second network, the average of the first, looks at every picture, too.
  if (!recipe.usesLabels) steps += 1 / passesPerStep;
  return (passesPerStep * steps * samples * gflopPerImage(network, width, resolution) * overhead) / gflops;
}

/**
 * E_s as a share of the epochs, and its limit. The authors' is 0.3 of 200 on 50,000 images. Here starting earlier costs nothing
 * where labels are still being learned, and is meant to save a small or easy set from having its wrong labels memorised first (ADR 3).
 */
const startShare = 0.2;
const latestStartEpoch = 10;
/** The authors' α, for runs as long as theirs. */
const authorsMomentum = 0.9;
/** Self-supervised targets have no label to start from and follow faster. [unverified], like all details of that part of the paper. */
const selfSupervisedMomentum = 0.7;
/** At most this share of the one-hot start is left in the targets when the run ends. */
const largestFinalRemainder = 0.1;
const peakLearningRate = 0.2;

function startEpochFor({ recipe, preset, overrides }: PlanInput, epochs: number): number {
  if (!recipe.usesLabels) return 0;
  if (!recipe.movesTargets) return epochs;
  const usual = clamp(Math.round(epochs * startShare), 1, latestStartEpoch);
  const startEpoch = overrides.startEpoch ?? preset?.settings.startEpoch ?? Math.min(usual, epochs - 1);
  if (startEpoch >= epochs) {
    const whose = overrides.startEpoch === null && preset !== null ? ` of the preset ${preset.name}` : '';
    throw invalid(
      `Targets would never adapt: the start epoch${whose}, ${startEpoch} (E_s, counted from 0), is not before the end of a run of ` +
        `${count(epochs, 'epoch')}. Set it from 0 to ${epochs - 1}, or train for more epochs; without adapting targets, that is the recipe cross-entropy.`,
    );
  }
  return startEpoch;
}

/** α: the authors' 0.9, lower where a short run would otherwise end before the targets have moved. */
function targetMomentumFor(recipe: RecipeTraits, epochs: number, startEpoch: number): number {
  if (!recipe.usesLabels) return selfSupervisedMomentum;
  // Where targets never move, α averages the predictions that doubts are read from, from the first epoch on.
  const updates = recipe.movesTargets ? epochs - startEpoch : epochs;
  return Math.min(authorsMomentum, largestFinalRemainder ** (1 / updates));
}

function requireSense({ recipe, preset, overrides, startFrom }: PlanInput): void {
  const { epochs, startEpoch, targetMomentum } = overrides;
  if (epochs !== null && !(Number.isSafeInteger(epochs) && epochs >= 1)) {
    throw invalid(`A run cannot have ${epochs} epochs. Set a whole number from 1.`);
  }
  if (startEpoch !== null && !(Number.isSafeInteger(startEpoch) && startEpoch >= 0)) {
    throw invalid(`The start epoch (E_s) cannot be ${startEpoch}. Set a whole number from 0, the first epoch.`);
  }
  if (startEpoch !== null && !(recipe.usesLabels && recipe.movesTargets)) {
    throw invalid(
      recipe.usesLabels
        ? `The recipe ${recipe.name} never adapts its targets. Leave the start epoch out, or choose the recipe sat.`
        : `The recipe ${recipe.name} adapts its targets from the very first epoch. Leave the start epoch out.`,
    );
  }
  if (targetMomentum !== null && !(targetMomentum > 0 && targetMomentum < 1)) {
    throw invalid(
      `The target momentum (α) cannot be ${targetMomentum}. Set a number between 0 and 1, both excluded; 0.9 is the authors', ` +
        'less makes targets follow the predictions faster.',
    );
  }
  if (startFrom !== null) requireSameInputs(startFrom.recipe, recipe);
  if (preset === null) return;
  const { settings, name } = preset;
  if (!recipe.usesLabels || (settings.attack === null) !== (recipe.attack === undefined)) {
    throw invalid(
      `The preset ${name} is made for the recipe ${settings.recipe} and does not suit ${recipe.name}. Choose that recipe, or no preset.`,
    );
  }
  if (
    startFrom !== null &&
    (startFrom.network !== settings.network ||
      startFrom.width !== settings.width ||
      startFrom.resolution !== settings.resolution)
  ) {
    throw invalid(
      `The preset ${name} wants ${describeSize(settings)}; run ${startFrom.runId} has ${describeSize(startFrom)}. ` +
        'Start from random weights, or choose no preset.',
    );
  }
}

function invalid(message: string): AppError {
  return new AppError('invalid-input', message);
}

/** Small sets get small batches, so that an epoch still has enough steps. */
function batchSizeFor(samples: number): number {
  if (samples >= 4000) return 128;
  if (samples >= 1000) return 64;
  return 32;
}

function resolutionReason(resolution: number, medianSide: number, best: number): string {
  if (resolution === best) return `your images are about ${Math.round(medianSide)} pixels on their shorter side.`;
  return `more would not fit the time; your images have ${Math.round(medianSide)} on their shorter side.`;
}

function epochsReason(epochs: number, wanted: number, usual: number, budget: Budget): string {
  if (epochs < wanted) return 'fewer than usual, because more would not fit the time on this machine.';
  if (epochs > usual) return 'more than usual, because there are few images.';
  return `what the ${budget} budget gives.`;
}

/** What happens to the labels, where the recipe learns any. */
function targetsReason(recipe: RecipeTraits, { startEpoch }: TrainingSettings): string[] {
  if (!recipe.usesLabels) return [];
  if (!recipe.movesTargets) {
    return [
      "Labels are taken as given in every pass, so wrong ones are learned too; doubts are read from the average of the model's predictions.",
    ];
  }
  const first = startEpoch === 1 ? 'the first pass' : `the first ${startEpoch} passes`;
  return [
    startEpoch === 0
      ? "From the first pass on, the model's own view moves the labels a little at every pass."
      : `Labels are taken as given for ${first}; after that the model's own view moves them a little at every pass.`,
  ];
}

function recipeReasons(recipe: RecipeTraits, { attack }: TrainingSettings): string[] {
  const reasons: string[] = [];
  if (!recipe.usesLabels) {
    reasons.push(
      'No label is used: the run says nothing about labels and leaves the findings so far in place. Its encoder is kept, for another run to start from.',
    );
  }
  if (recipe.gives === 'triage') {
    reasons.push(
      'The model may abstain; how readily it does so is shown for each image, and the queue can be sorted by it.',
    );
  }
  if (attack !== null) {
    reasons.push(
      `Every image is attacked in ${attack.steps} steps before it is learned, which makes a pass about ${attack.steps + 2} times as dear.`,
    );
  }
  return reasons;
}

/** Longer than any budget would plan for. */
const longSeconds = 3 * 3600;

const engineTitles: Record<EngineName, string> = {
  tensorflow: 'TensorFlow',
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
};

function speedReasons({ engine, gflops }: PlanInput, expectedSeconds: number): string[] {
  const speed = `This machine trains at about ${gflops < 10 ? gflops.toFixed(1) : Math.round(gflops)} GFLOP/s with ${engineTitles[engine]}.`;
  if (expectedSeconds < longSeconds) return [speed];
  return [
    speed,
    `At that speed the run takes about ${durationInWords(expectedSeconds)}. Such settings are meant for a GPU; what was learned is kept whenever you stop.`,
  ];
}

function durationInWords(seconds: number): string {
  const hours = Math.round(seconds / 3600);
  return hours < 72 ? count(hours, 'hour') : `${count(hours, 'hour')} (${count(Math.round(hours / 24), 'day')})`;
}

function describeSize({ network, width, resolution }: Size): string {
  return `${network} of width ${width} at ${resolution} pixels`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
