import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { budgets, engineNames } from '../../../shared/domain.ts';
import { presets } from '../../sat/presets.ts';
import { recipes } from '../../sat/recipes/registry.ts';
import { cleanCommand, type CleanOptions } from './commands/clean.ts';
import { demoCommand, type DemoOptions } from './commands/demo.ts';
import { duplicatesCommand, type DuplicatesOptions } from './commands/duplicates.ts';
import { enginesCommand } from './commands/engines.ts';
import { evaluateCommand, type EvaluateOptions } from './commands/evaluate.ts';
import { exportCommand, type ExportOptions } from './commands/export.ts';
import { flagsCommand, type FlagsOptions } from './commands/flags.ts';
import { historyCommand, type HistoryOptions } from './commands/history.ts';
import { importCommand, type ImportOptions } from './commands/import.ts';
import { neighboursCommand, type NeighboursOptions } from './commands/neighbours.ts';
import { addLabCommands } from './commands/lab.ts';
import { overviewCommand, type OverviewOptions } from './commands/overview.ts';
import { serveCommand, type ServeCommandOptions } from './commands/serve.ts';
import { trainCommand, type TrainOptions } from './commands/train.ts';
import { triageCommand, type TriageOptions } from './commands/triage.ts';
import { formatList } from './text.ts';

/** The command line; each command answers its exit code through `onExit`. */
export function createProgram(version: string, onExit: (code: number) => void): Command {
  const program = new Command('winnow')
    .description('Find and fix wrong labels in a folder of labeled images, offline.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(winnow --help shows how)');

  const project = (): Argument => new Argument('<project>', 'project file (*.winnow)');
  const json = (): Option => new Option('--json', 'print JSON for machines');
  const seed = (): Option =>
    new Option('--seed <number>', 'the same seed gives the same ranking').argParser(parseCount).default(0);
  const budget = (): Option =>
    new Option('--budget <name>', 'how much time to spend').choices(budgets).default('balanced');
  const engine = (): Option =>
    new Option('--engine <name>', 'what computes').choices(['auto', ...engineNames]).default('auto');
  const recipe = (offered: readonly { name: string }[]): Option =>
    new Option('--recipe <name>', "variant of training (default: sat, or the preset's)").choices(
      offered.map(({ name }) => name),
    );
  const overwrite = (): Option => new Option('--overwrite', 'replace a file that is already there');
  const labels = (): Option =>
    new Option('--labels <file>', 'CSV that names the label of every file; without it, folders are classes');
  const fileColumn = (): Option =>
    new Option('--file-column <name>', 'its column of paths relative to the folder').default('file');
  const labelColumn = (): Option => new Option('--label-column <name>', 'its column of labels').default('label');

  program
    .command('import')
    .description('read a folder of images and labels into a project; again, to find what is new, changed or gone')
    .argument('<folder>', 'folder of images; it is only read')
    .requiredOption('--project <file>', 'project file to make or to update (*.winnow)')
    .addOption(labels())
    .addOption(fileColumn())
    .addOption(labelColumn())
    .addOption(json())
    .action(async (folder: string, options: ImportOptions) => onExit(await importCommand(folder, options)));

  program
    .command('train')
    .description('train on the project and judge every label; Ctrl+C pauses, and --resume goes on')
    .addArgument(project())
    .addOption(budget())
    .addOption(engine())
    .addOption(seed())
    .addOption(recipe(recipes))
    .addOption(
      new Option('--start-from <run>', 'start from the encoder that this run has left').argParser(parsePositive),
    )
    .addOption(
      new Option(
        '--then <name>',
        'afterwards, train this recipe from the encoder that was learned; --preset, --epochs, --start-epoch and --target-momentum are for the first run only',
      ).choices(recipes.filter(({ usesLabels }) => usesLabels).map(({ name }) => name)),
    )
    .addOption(
      new Option('--preset <name>', "published settings in place of the budget's (see below)").choices(
        presets.map(({ name }) => name),
      ),
    )
    .addOption(new Option('--epochs <number>', 'passes over the images').argParser(parseNumber))
    .addOption(
      new Option('--start-epoch <number>', 'E_s, from 0: the first epoch in which targets adapt').argParser(
        parseNumber,
      ),
    )
    .addOption(
      new Option('--target-momentum <number>', 'α, between 0 and 1: how slowly targets adapt').argParser(parseNumber),
    )
    .addOption(
      new Option(
        '--resume',
        'go on with the training that was paused or interrupted, on the images and labels it began with',
      ).conflicts([
        ...['budget', 'engine', 'seed', 'recipe', 'startFrom', 'then', 'preset'],
        ...['epochs', 'startEpoch', 'targetMomentum'],
      ]),
    )
    .addOption(new Option('--json', 'print the plan and every event as a line of JSON'))
    .addHelpText('after', `\nRecipes:\n${formatList(recipes)}\n\nPresets, all meant for a GPU:\n${formatList(presets)}`)
    .action(async (file: string, options: TrainOptions) => onExit(await trainCommand(file, options)));

  program
    .command('flags')
    .description('list the labels that look wrong, worst first')
    .addArgument(project())
    .addOption(
      new Option(
        '--limit <number>',
        'list at most so many (default: 50 for people, all for --json and --csv)',
      ).argParser(parsePositive),
    )
    .addOption(new Option('--all', 'list every judged image, not only the flagged ones'))
    .addOption(json())
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .action(async (file: string, options: FlagsOptions) => onExit(await flagsCommand(file, options)));

  program
    .command('triage')
    .description('say which labels can be accepted unseen, and which to look at')
    .addArgument(project())
    .addOption(
      new Option('--coverage <share>', 'accept this share, 0 to 1, and list the images to look at').argParser(
        parseShare,
      ),
    )
    .addOption(json())
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .action(async (file: string, options: TriageOptions) => onExit(await triageCommand(file, options)));

  program
    .command('neighbours')
    .description('list the images that look most alike to the newest run')
    .addArgument(project())
    .argument('<image>', 'path of an image of the project')
    .addOption(new Option('--limit <number>', 'list so many').argParser(parsePositive).default(10))
    .addOption(json())
    .action(async (file: string, image: string, options: NeighboursOptions) =>
      onExit(await neighboursCommand(file, image, options)),
    );

  program
    .command('duplicates')
    .description('list groups of images that look nearly the same, those whose labels differ first')
    .addArgument(project())
    .addOption(json())
    .action(async (file: string, options: DuplicatesOptions) => onExit(await duplicatesCommand(file, options)));

  program
    .command('overview')
    .description('say how the labels stand: noise of each class, wrong labels that remain, pace and time left')
    .addArgument(project())
    .addOption(json())
    .action(async (file: string, options: OverviewOptions) => onExit(await overviewCommand(file, options)));

  program
    .command('evaluate')
    .description('compare what was found with the true labels')
    .addArgument(project())
    .requiredOption('--truth <file>', 'CSV of the true labels')
    .addOption(fileColumn())
    .requiredOption('--truth-column <name>', 'its column of true labels')
    .addOption(json())
    .action(async (file: string, options: EvaluateOptions) => onExit(await evaluateCommand(file, options)));

  program
    .command('history')
    .description('list who decided what when, newest first')
    .addArgument(project())
    .addOption(
      new Option('--limit <number>', 'list at most so many (default: 50 for people, all for --json)').argParser(
        parsePositive,
      ),
    )
    .option('--by <name>', 'only what this reviewer has done')
    .addOption(json())
    .action(async (file: string, options: HistoryOptions) => onExit(await historyCommand(file, options)));

  program
    .command('export')
    .description('write the labels as decided')
    .addArgument(project())
    .addOption(new Option('--format <name>', 'what to write').choices(['csv', 'jsonl', 'folder']).makeOptionMandatory())
    .requiredOption('--out <path>', 'file or folder to write')
    .addOption(overwrite())
    .addOption(json())
    .action(async (file: string, options: ExportOptions) => onExit(await exportCommand(file, options)));

  program
    .command('clean')
    .description('import, train, accept the sure suggestions and export, in one go')
    .argument('<folder>', 'folder of images; it is only read')
    .requiredOption('--out <file>', 'CSV to write')
    .addOption(labels())
    .addOption(fileColumn())
    .addOption(labelColumn())
    .addOption(new Option('--project <file>', 'project file (default: where the app would put it)'))
    .addOption(budget())
    .addOption(engine())
    .addOption(seed())
    .addOption(recipe(recipes.filter(({ gives }) => gives !== 'encoder')))
    .addOption(overwrite())
    .addOption(json())
    .action(async (folder: string, options: CleanOptions) => onExit(await cleanCommand(folder, options)));

  program
    .command('serve')
    .description('serve the app to a browser of this machine')
    .argument('[target]', 'project (*.winnow) to open, or folder of images to import')
    .addOption(new Option('--port <number>', 'port to listen on (default: 4747, or any free one)').argParser(parsePort))
    .addOption(new Option('--json', 'print the address as JSON'))
    .action(async (target: string | undefined, options: ServeCommandOptions) =>
      onExit(await serveCommand(target, options)),
    );

  program
    .command('engines')
    .description('list what can compute, with its measured training speed')
    .addOption(json())
    .action(async (options: { json?: true }) => onExit(await enginesCommand(options)));

  program
    .command('demo')
    .description('draw a sample set with wrong labels that it knows, clean it, and compare')
    .addOption(
      new Option('--out <folder>', 'new folder for the pictures, the cleaned labels and the report').default(
        'winnow-demo',
      ),
    )
    .addOption(engine())
    .addOption(seed())
    .action(async (options: DemoOptions) => onExit(await demoCommand(options)));

  addLabCommands(
    program.command('lab').description("repeat the paper's experiments: tables and figures beside the published ones"),
    onExit,
  );

  return program;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 2 ** 31 - 1)
    throw new InvalidArgumentError('It must be a whole number from 0 to 2147483647.');
  return value;
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value === 0) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

/** Whether the number makes sense is the plan's to say. */
function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function parseShare(text: string): number {
  const value = parseNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return value;
}

function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value === 0 || value > 65535)
    throw new InvalidArgumentError('It must be a port from 1 to 65535.');
  return value;
}
