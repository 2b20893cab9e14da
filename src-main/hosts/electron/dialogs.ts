import { dialog, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { Choice } from '../../../shared/api.ts';
import type { DialogRequest } from './service-messages.ts';

/** Shows a native dialog over the window. */
export async function showDialog(window: BrowserWindow | null, request: DialogRequest): Promise<Choice> {
  switch (request.kind) {
    case 'folder':
      return await chooseExisting(window, { title: request.title, properties: ['openDirectory'] });
    case 'project-file':
      return await chooseExisting(window, {
        title: 'Open a project',
        properties: ['openFile'],
        filters: [{ name: 'Winnow projects', extensions: ['winnow'] }],
      });
    case 'save': {
      const options = { title: request.title, defaultPath: request.suggestedName };
      const { canceled, filePath } =
        window === null ? await dialog.showSaveDialog(options) : await dialog.showSaveDialog(window, options);
      return canceled || filePath === '' ? { kind: 'cancelled' } : { kind: 'chosen', path: filePath };
    }
  }
}

async function chooseExisting(window: BrowserWindow | null, options: OpenDialogOptions): Promise<Choice> {
  const { canceled, filePaths } =
    window === null ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(window, options);
  const chosen = filePaths[0];
  return canceled || chosen === undefined ? { kind: 'cancelled' } : { kind: 'chosen', path: chosen };
}
