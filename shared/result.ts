/** What an operation that can fail in an expected way returns. Bugs throw; expected outcomes are values. */
export type Result<T, E = AppErrorValue> = { ok: true; value: T } | { ok: false; error: E };

/** Every expected failure that can reach a person. The message says what happened, to which file, and what to do next. */
export type AppErrorCode =
  | 'invalid-input'
  | 'no-project'
  | 'busy'
  | 'not-found'
  | 'folder-missing'
  | 'folder-empty'
  | 'single-class'
  | 'labels-file'
  | 'project-file'
  | 'project-from-future'
  | 'images-missing'
  | 'engine'
  | 'trainer'
  | 'export'
  /** Something is already at the place to write to, and `overwrite` was not set. */
  | 'already-exists'
  | 'cancelled'
  | 'internal';

export interface AppErrorValue {
  code: AppErrorCode;
  message: string;
}

/** Thrown inside a layer, turned into `{ok: false}` where it leaves the service. */
export class AppError extends Error {
  readonly code: AppErrorCode;

  constructor(code: AppErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

export function failure(code: AppErrorCode, message: string): { ok: false; error: AppErrorValue } {
  return { ok: false, error: { code, message } };
}

/** Any thrown value as an error value; what is not an `AppError` is a bug and is reported as `internal`. */
export function toErrorValue(error: unknown): AppErrorValue {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: 'internal', message: errorMessage(error) };
}
