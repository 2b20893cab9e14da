/* What a test and the stand-in's main process say to each other, over Node's IPC. */

export type ControlCommand =
  /** The path that the next native dialog answers with; null cancels it. */
  | { kind: 'answer-dialog'; path: string | null }
  /** The button, by its place, that the next question is answered with; without it, the first. */
  | { kind: 'answer-question'; button: number }
  /** Clicks the menu item with this label. */
  | { kind: 'click-menu'; label: string }
  | { kind: 'kill-service' }
  | { kind: 'quit' };

export type ControlNotice =
  | { kind: 'question'; message: string }
  | { kind: 'error-box'; title: string; content: string }
  | { kind: 'recent-document'; path: string };
