import type { HostShell } from '../../app/service.ts';

/** A host without native dialogs: the window asks for paths with its own folder list. */
export const shellWithoutDialogs: HostShell = {
  chooseFolder: () => Promise.resolve({ kind: 'unavailable' }),
  chooseProjectFile: () => Promise.resolve({ kind: 'unavailable' }),
  chooseSavePath: () => Promise.resolve({ kind: 'unavailable' }),
};
