import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from '../../src-main/hosts/paths.ts';

/** A data folder of a test's own that shares the engines that set-up has made, and their measured speeds. */
export function createHome(folder: string): string {
  const own = path.join(folder, 'home');
  mkdirSync(own, { recursive: true });
  const shared = dataFolder();
  if (existsSync(path.join(shared, 'engines')) && !existsSync(path.join(own, 'engines')))
    symlinkSync(path.join(shared, 'engines'), path.join(own, 'engines'), 'junction');
  const speeds = 'engine-speeds.json';
  if (existsSync(path.join(shared, speeds))) cpSync(path.join(shared, speeds), path.join(own, speeds));
  return own;
}
