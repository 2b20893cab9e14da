import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import { formatDuration } from './text.ts';

export interface ProgressState {
  /** 0..1; null while the end is not known. */
  fraction: number | null;
  /** What is counted, for example `1,200 of 3,068 images, 310 per second`. */
  text: string;
  secondsLeft: number | null;
}

export interface Progress {
  update(state: ProgressState): void;
  /** A line that stays, above the bar. */
  note(line: string): void;
  /** Takes the bar away. */
  end(): void;
}

/** A log file needs a sign of life, not every step. */
const plainIntervalMs = 5000;
const terminalIntervalMs = 80;
const barWidth = 24;

/** On a terminal a bar that is drawn in place; elsewhere a line every few seconds. */
export function createProgress(title: string, stream: NodeJS.WritableStream & Partial<WriteStream>): Progress {
  const isTerminal = stream.isTTY === true;
  const interval = isTerminal ? terminalIntervalMs : plainIntervalMs;
  // The first line of a log comes after the interval: what is quicker needs no progress.
  let shownAt = isTerminal ? -Infinity : performance.now();
  let barIsShown = false;

  const clear = (): void => {
    if (!barIsShown) return;
    clearLine(stream, 0);
    cursorTo(stream, 0);
    barIsShown = false;
  };
  return {
    update(state) {
      const now = performance.now();
      if (now - shownAt < interval) return;
      shownAt = now;
      const line = progressLine(title, state, isTerminal);
      if (!isTerminal) {
        stream.write(`${line}\n`);
        return;
      }
      clear();
      // A line that wraps could not be cleared.
      stream.write(line.slice(0, Math.max(20, (stream.columns ?? 80) - 1)));
      barIsShown = true;
    },
    note(line) {
      clear();
      stream.write(`${line}\n`);
    },
    end: clear,
  };
}

function progressLine(title: string, { fraction, text, secondsLeft }: ProgressState, withBar: boolean): string {
  const parts = [title];
  if (fraction !== null) {
    const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
    if (withBar) parts.push(`${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`);
    parts.push(`${Math.floor(fraction * 100)} %`);
  }
  parts.push(text);
  if (secondsLeft !== null) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join('  ');
}
