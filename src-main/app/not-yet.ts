import type { ApiHandlers } from '../../shared/api.ts';
import { AppError } from '../../shared/result.ts';

/* Methods of the API that are being built. */

function notYet(): never {
  throw new AppError('not-found', 'This is being built.');
}

export const notYetHandlers: Pick<ApiHandlers, 'listClusters' | 'getMap'> = {
  listClusters: notYet,
  getMap: notYet,
};
