/** Where a layer writes what happened. Passed in, so that a host decides where the lines go; an error is logged once, where it is handled. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  /** `error` is what was thrown; its stack is written below the message. */
  error(message: string, error?: unknown): void;
}

/** A logger that hands every entry on as one text with time and level. */
export function createLogger(write: (entry: string) => void): Logger {
  const entry = (level: string, message: string): void => write(`${new Date().toISOString()} ${level} ${message}`);
  return {
    info: (message) => entry('info', message),
    warn: (message) => entry('warn', message),
    error: (message, error) => entry('error', error === undefined ? message : `${message}\n${describe(error)}`),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
