import { describe, expect, it } from 'vitest';
import { reviewPace, reviewProgress, type WorkStep } from '../../src-main/domain/pace.ts';

/** Actions that follow each other after these seconds. */
function steps(parts: readonly { after: number; decided?: number }[]): WorkStep[] {
  let time = Date.parse('2026-01-01T10:00:00.000Z');
  return parts.map(({ after, decided = 1 }) => {
    time += 1000 * after;
    return { madeAt: new Date(time).toISOString(), decided };
  });
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('reviewPace', () => {
  it('has none before there is enough work', () => {
    const none = { perMinute: null, secondsLeft: null, left: 7 };
    expect(reviewPace([], 7)).toEqual({ ...none, workedSeconds: 0 });
    expect(reviewPace(steps([{ after: 0 }]), 7)).toEqual({ ...none, workedSeconds: 0 });
    expect(reviewPace(steps(times(15, { after: 2 })), 7)).toEqual({ ...none, workedSeconds: 28 });
  });

  it('tells the pace and the time left', () => {
    expect(reviewPace(steps(times(31, { after: 2 })), 45)).toEqual({
      perMinute: 30,
      workedSeconds: 60,
      left: 45,
      secondsLeft: 90,
    });
  });

  it('leaves pauses out', () => {
    const work = times(16, { after: 3 });
    const { perMinute, workedSeconds } = reviewPace(steps([...work, { after: 3600 }, ...work]), 1);
    expect([perMinute, workedSeconds]).toEqual([20, 15 * 3 + 16 * 3]);
  });

  it('counts what one action decides at once, and does not take it for the pace', () => {
    const work = times(16, { after: 2 });
    expect(reviewPace(steps([...work, { after: 20, decided: 5000 }]), 100)).toMatchObject({ perMinute: 30 });
    expect(reviewPace(steps(times(31, { after: 10, decided: 12 })), 100)).toMatchObject({ perMinute: 72 });
  });

  it('follows the recent work', () => {
    const { perMinute } = reviewPace(steps([...times(200, { after: 20 }), ...times(101, { after: 4 })]), 1);
    expect(perMinute).toBe(15);
  });

  it('counts skipping and reopening as work that decides less', () => {
    const mixed = Array.from({ length: 31 }, (_, i) => ({ after: 2, decided: i % 5 === 0 ? 0 : 1 }));
    expect(reviewPace(steps(mixed), 1).perMinute).toBe(24);
    expect(reviewPace(steps(times(31, { after: 2, decided: -1 })), 1)).toMatchObject({
      perMinute: null,
      secondsLeft: null,
    });
  });

  it('takes a clock that was set back, or stands still, for no work', () => {
    const work = times(16, { after: 3 });
    const { perMinute, workedSeconds } = reviewPace(steps([...work, { after: -5000 }, ...work]), 1);
    expect([perMinute, workedSeconds]).toEqual([20, 93]);
    expect(reviewPace(steps(times(40, { after: 0 })), 1)).toMatchObject({ perMinute: null, workedSeconds: 0 });
  });
});

describe('reviewProgress', () => {
  it('adds up what the actions decided', () => {
    const progress = reviewProgress(steps([{ after: 0, decided: 3 }, { after: 60, decided: -1 }, { after: 60 }]));
    expect(progress).toEqual([
      { at: '2026-01-01T10:00:00.000Z', decided: 3 },
      { at: '2026-01-01T10:01:00.000Z', decided: 2 },
      { at: '2026-01-01T10:02:00.000Z', decided: 3 },
    ]);
  });

  it('keeps the first and the last of many, and never goes back in time', () => {
    const progress = reviewProgress(
      steps([...times(1000, { after: 2 }), { after: -900 }, ...times(999, { after: 2 })]),
    );
    expect(progress).toHaveLength(200);
    expect([progress[0]?.decided, progress.at(-1)?.decided]).toEqual([1, 2000]);
    const at = progress.map((point) => point.at);
    expect(at).toEqual(at.toSorted());
  });
});
