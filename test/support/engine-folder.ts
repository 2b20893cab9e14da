import { join } from 'node:path';
import { dataFolder } from '../../src-main/hosts/paths.ts';

/** Where set-up put the engines, so that tests run on what a user would. */
export function engineFolderForTests(): string {
  return join(dataFolder(), 'engines');
}
