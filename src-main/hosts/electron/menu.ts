import { Menu, type MenuItemConstructorOptions } from 'electron';

export interface MenuActions {
  openProject: () => void;
  importFolder: () => void;
  closeProject: () => void;
  undoDecision: () => void;
  redoDecision: () => void;
}

/**
 * The native menu. The page has its own keys for decisions, undo and redo, so those items carry no accelerator that would take the
 * key away from it.
 */
export function setApplicationMenu(
  actions: MenuActions,
  { isMac, isPackaged }: { isMac: boolean; isPackaged: boolean },
): void {
  const appMenu: MenuItemConstructorOptions[] = isMac ? [{ role: 'appMenu' }] : [];
  const developer: MenuItemConstructorOptions[] = isPackaged
    ? []
    : [{ role: 'reload' }, { role: 'toggleDevTools' }, { type: 'separator' }];
  const template: MenuItemConstructorOptions[] = [
    ...appMenu,
    {
      label: '&File',
      submenu: [
        { label: 'Import a &Folder…', accelerator: 'CmdOrCtrl+N', click: actions.importFolder },
        { label: '&Open Project…', accelerator: 'CmdOrCtrl+O', click: actions.openProject },
        { label: '&Close Project', click: actions.closeProject },
        { type: 'separator' },
        { role: isMac ? 'close' : 'quit' },
      ],
    },
    {
      label: '&Edit',
      submenu: [
        { label: '&Undo Decision', click: actions.undoDecision },
        { label: '&Redo Decision', click: actions.redoDecision },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      label: '&View',
      submenu: [
        ...developer,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [{ role: 'about' }] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
