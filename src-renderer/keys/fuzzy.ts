/*
 * How well a name fits what was typed: its letters in order, each right after the one before or where a word begins. Only
 * when nothing fits that way do letters from anywhere count, so that a letter left out finds something still.
 */

export interface Fit {
  /** Higher is better. */
  score: number;
  /** A letter stands apart, in the middle of a word. */
  loose: boolean;
}

/** Null where the letters do not all occur in this order. Spaces in what is typed count for nothing. */
export function fitOf(name: string, typed: string): Fit | null {
  const wanted = Array.from(typed.toLowerCase().replaceAll(/\s/g, ''));
  const [first] = wanted;
  if (first === undefined) return { score: 0, loose: false };
  const text = name.toLowerCase();
  let best: Fit | null = null;
  for (let start = text.indexOf(first); start !== -1; start = text.indexOf(first, start + 1)) {
    const fit = fitFrom(text, wanted, start);
    if (fit !== null && (best === null || isBetter(fit, best))) best = fit;
  }
  return best;
}

/** Those that fit, best first; those that fit equally well stay in their order. */
export function fuzzySearch<T>(items: readonly T[], typed: string, nameOf: (item: T) => string): T[] {
  const found = items.flatMap((item) => {
    const fit = fitOf(nameOf(item), typed);
    return fit === null ? [] : [{ item, fit }];
  });
  const close = found.filter(({ fit }) => !fit.loose);
  return (close.length > 0 ? close : found)
    .toSorted((first, second) => second.fit.score - first.fit.score)
    .map(({ item }) => item);
}

function isBetter(first: Fit, second: Fit): boolean {
  return first.loose === second.loose ? first.score > second.score : second.loose;
}

function fitFrom(text: string, wanted: readonly string[], start: number): Fit | null {
  let score = isWordStart(text, start) ? 3 : 0;
  let loose = false;
  let at = start;
  for (const letter of wanted.slice(1)) {
    const next = at + 1;
    if (text[next] === letter) {
      at = next;
      score += 4;
      continue;
    }
    const atWord = nextWordStart(text, letter, next);
    if (atWord === -1) {
      at = text.indexOf(letter, next);
      loose = true;
    } else {
      at = atWord;
      score += 2;
    }
    if (at === -1) return null;
  }
  // Of two that fit alike, the one with less besides.
  return { score: score - text.length / 100, loose };
}

function nextWordStart(text: string, letter: string, from: number): number {
  let at = text.indexOf(letter, from);
  while (at !== -1 && !isWordStart(text, at)) at = text.indexOf(letter, at + 1);
  return at;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '');
}
