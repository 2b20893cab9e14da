/* What was last run from the palette, newest first; remembered on this machine. */

const key = 'winnow.recent-commands';
const kept = 8;

export function readRecent(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberRecent(id: string): void {
  try {
    localStorage.setItem(key, JSON.stringify([id, ...readRecent().filter((item) => item !== id)].slice(0, kept)));
  } catch {
    // Without storage the palette begins with its usual order.
  }
}
