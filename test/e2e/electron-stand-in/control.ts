/* What a test and the stand-in's main process say to each other, over Node's IPC. */

export type ControlCommand =
  /** The path that the next native dialog answers with; null cancels it. */
  | { kind: 'answer-dialog'; path: string | null }
  /** Clicks the menu item with this label. */
  | { kind: 'click-menu'; label: string }
  | { kind: 'kill-service' }
  | { kind: 'quit' };

export type ControlNotice = { kind: 'error-box'; title: string; content: string } | { kind: 'recent-document'; path: string };
