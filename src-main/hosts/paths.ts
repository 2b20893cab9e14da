import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../shared/result.ts';

/** Where the parts of one installation lie, from source, built, or packaged. */
export interface ProgramPaths {
  version: string;
  /** Entry of the trainer process. */
  trainerProgram: string;
  /** Entry of the service's worker thread. */
  workerProgram: string;
  /** The built window: `index.html` and `assets/`. */
  rendererFolder: string;
  /** Node runtime that runs the trainer. */
  nodePath: string;
}

interface Environment {
  platform: NodeJS.Platform;
  home: string;
  variables: Readonly<Record<string, string | undefined>>;
}

/** The oldest Node that can load the engines' and SQLite's native parts and run TypeScript sources. */
const oldestNodeMajor = 24;

/** Where recent projects, caches and engines are kept: `WINNOW_HOME`, else the place that the operating system means for it. */
export function dataFolder(environment: Environment = currentEnvironment()): string {
  const { platform, home, variables } = environment;
  const paths = platform === 'win32' ? path.win32 : path.posix;
  if (variables.WINNOW_HOME) return paths.resolve(variables.WINNOW_HOME);
  if (platform === 'win32') return paths.join(variables.LOCALAPPDATA ?? paths.join(home, 'AppData', 'Local'), 'Winnow');
  if (platform === 'darwin') return paths.join(home, 'Library', 'Application Support', 'Winnow');
  // The XDG specification asks to ignore a relative path.
  const xdg = variables.XDG_DATA_HOME;
  return paths.join(xdg && paths.isAbsolute(xdg) ? xdg : paths.join(home, '.local', 'share'), 'winnow');
}

/**
 * Finds the other programs from the place of the running one, so that a checkout, a build and a package need no setting.
 * `resources` is Electron's resources folder in a package.
 */
export function programPaths(moduleUrl: string = import.meta.url, resources: string | null = null): ProgramPaths {
  const self = fileURLToPath(moduleUrl);
  const root = installationRoot(self);
  const fromSource = self.endsWith('.ts');
  return {
    version: readVersion(root),
    trainerProgram: fromSource
      ? path.join(root, 'src-main', 'trainer', 'main.ts')
      : outsideArchive(path.join(root, 'dist', 'main', 'trainer.js')),
    workerProgram: fromSource
      ? path.join(root, 'src-main', 'app', 'preparation-worker.ts')
      : outsideArchive(path.join(root, 'dist', 'main', 'preparation-worker.js')),
    rendererFolder: path.join(root, 'dist', 'renderer'),
    nodePath: findNode(root, resources),
  };
}

/** The Node that ships with the app; in a checkout the pinned one of node_modules, else the running one if it is new enough. */
export function findNode(root: string, resources: string | null): string {
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const candidates = [
    ...(resources === null
      ? []
      : [path.join(resources, 'node', program), path.join(resources, 'node', 'bin', program)]),
    path.join(root, 'node_modules', `node-${packagePlatform()}-${process.arch}`, 'bin', program),
    // Apple's processors have theirs under another name.
    path.join(root, 'node_modules', `node-bin-${packagePlatform()}-${process.arch}`, 'bin', program),
  ];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const running = Number(process.versions.node.split('.')[0]);
  // In Electron `execPath` is the app itself, which is no Node runtime.
  if (process.versions.electron === undefined && running >= oldestNodeMajor) return process.execPath;
  throw new AppError(
    'trainer',
    `No Node ${oldestNodeMajor} runtime was found (looked for ${candidates.join(', ')}). Run "npm run setup", which installs it.`,
  );
}

function currentEnvironment(): Environment {
  return { platform: process.platform, home: homedir(), variables: process.env };
}

/** The folder that holds package.json, `src-main/` and `dist/`. */
function installationRoot(self: string): string {
  for (let folder = path.dirname(self); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new AppError('internal', `No package.json lies above ${self}.`);
  }
}

function readVersion(root: string): string {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

/** A plain Node cannot read Electron's archive; what it runs is unpacked beside it. */
function outsideArchive(file: string): string {
  return file.replace(`app.asar${path.sep}`, `app.asar.unpacked${path.sep}`);
}

/** The platform as the `node-<platform>-<arch>` packages name it. */
function packagePlatform(): string {
  return process.platform === 'win32' ? 'win' : process.platform;
}
