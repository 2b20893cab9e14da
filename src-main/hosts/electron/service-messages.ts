import type { Choice } from '../../../shared/api.ts';
import type { ImageRequest } from '../image-request.ts';

/* What the main process and the service process say to each other beside the clients' own ports. */

/** Passed once, as the last argument of the service process. */
export interface ServiceStart {
  version: string;
  dataFolder: string;
  nodePath: string;
  trainerProgram: string;
  workerProgram: string;
}

export type ServiceCommand =
  /** Comes with the port of a new client. */
  | { kind: 'connect' }
  | { kind: 'read-image'; id: number; request: ImageRequest }
  | { kind: 'dialog-closed'; id: number; choice: Choice }
  | { kind: 'end' };

export type ServiceNotice =
  { kind: 'image'; id: number; image: ServedImage | null } | { kind: 'dialog'; id: number; dialog: DialogRequest };

export interface ServedImage {
  bytes: Uint8Array;
  contentType: string;
}

/** The native dialogs that the service may ask for. */
export type DialogRequest =
  { kind: 'folder'; title: string } | { kind: 'project-file' } | { kind: 'save'; title: string; suggestedName: string };
