import { describe, expect, it } from 'vitest';
import { emptyFilter, type QueueFilter, type QueueQuery } from '../../shared/api.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { triage } from '../../src-main/domain/triage.ts';
import { readJudgedLabels } from '../../src-main/store/findings.ts';
import { queryQueue } from '../../src-main/store/queue.ts';
import { applyImport } from '../../src-main/store/samples.ts';
import { classId, idOf, projectWith, runWithFindings, scanned } from './fixtures.ts';

const paths = ['dog/2.jpg', 'cat/1.jpg', 'cat/2.jpg', 'cat/3.jpg', 'dog/1.jpg', 'owl/ÄRA.jpg'];

function project() {
  const db = projectWith(paths);
  const names = (filter: Partial<QueueFilter>, sort: QueueQuery['sort'] = 'doubt'): string[] => {
    const { ids } = queryQueue(db, { filter: { ...emptyFilter, ...filter }, sort });
    return Array.from(ids, (id) => (db.prepare('SELECT path FROM sample WHERE id = ?').get(id) as { path: string }).path);
  };
  return { db, names };
}

describe('queryQueue', () => {
  it('goes by path before the first run', () => {
    const { db, names } = project();
    expect(names({})).toEqual([...paths].sort());
    expect(queryQueue(db, { filter: emptyFilter, sort: 'doubt' }).pairs).toEqual([]);
    expect(names({ minScore: 0 })).toEqual([]);
  });

  it('sorts by doubt, filters, and counts the confused pairs among the matches', () => {
    const { db, names } = project();
    runWithFindings(db, {
      'cat/2.jpg': { score: 0.9, suggested: 'dog' },
      'cat/3.jpg': { score: 0.6, suggested: 'dog' },
      'dog/1.jpg': { score: 0.6, suggested: 'cat' },
    });
    applyImport(db, {
      scanned: [...paths.filter((path) => path !== 'cat/2.jpg'), 'dog/9.jpg'].map((path) => scanned(path)),
      problems: [],
    });
    // Gone from the folder: gone from the queue. New since the run: last, without a score. Equal scores: by id.
    expect(names({})).toEqual(['cat/3.jpg', 'dog/1.jpg', 'dog/2.jpg', 'cat/1.jpg', 'owl/ÄRA.jpg', 'dog/9.jpg']);
    expect(names({ flaggedOnly: true })).toEqual(['cat/3.jpg', 'dog/1.jpg']);
    expect(names({ maxScore: 0.1 })).toEqual(['dog/2.jpg', 'cat/1.jpg', 'owl/ÄRA.jpg']);
    expect(
      names({ minScore: 0.6, givenClassIds: [classId(db, 'cat')], suggestedClassIds: [classId(db, 'dog')] }),
    ).toEqual(['cat/3.jpg']);
    expect(names({ search: '/äRa' })).toEqual(['owl/ÄRA.jpg']);
    expect(names({ search: '%' })).toEqual([]);
    const pair = (given: string, suggested: string) => ({
      givenClassId: classId(db, given),
      suggestedClassId: classId(db, suggested),
      count: 1,
    });
    expect(queryQueue(db, { filter: emptyFilter, sort: 'path' }).pairs).toEqual([
      pair('dog', 'cat'),
      pair('cat', 'dog'),
    ]);
    expect(queryQueue(db, { filter: { ...emptyFilter, search: 'dog' }, sort: 'path' }).pairs).toEqual([
      pair('dog', 'cat'),
    ]);
  });

  it('parts the samples exactly as the triage says, gone and new ones aside', () => {
    const { db, names } = project();
    const runId = runWithFindings(db, {
      'cat/1.jpg': { score: 0.2, suggested: 'cat' },
      'cat/2.jpg': { score: 0.9, suggested: 'dog' },
      'cat/3.jpg': { score: 0.2, suggested: 'cat' },
      'dog/1.jpg': { score: 0.6, suggested: 'cat' },
    });
    applyImport(db, {
      scanned: [...paths.filter((path) => path !== 'dog/2.jpg'), 'dog/9.jpg'].map((path) => scanned(path)),
      problems: [],
    });
    const { samples, curve } = triage(runId, readJudgedLabels(db, runId));
    expect(samples).toBe(5);
    expect(curve.map(({ accepted }) => accepted)).toEqual([0, 1, 3, 4, 5]);
    for (const { accepted, threshold } of curve) {
      expect(names({ triage: { part: 'accept', threshold } })).toHaveLength(accepted);
      expect(names({ triage: { part: 'look', threshold } })).toHaveLength(samples - accepted);
    }
    expect(names({ triage: { part: 'look', threshold: curve[2]!.threshold } })).toEqual(['cat/2.jpg', 'dog/1.jpg']);
    // An abstention plays no part.
    runWithFindings(db, { 'cat/2.jpg': { score: 0.9, suggested: 'dog', abstention: 0.1 } });
    expect(names({ triage: { part: 'accept', threshold: 0.5 } })).not.toContain('cat/2.jpg');
  });

  it('shows again what was decided, newest first', () => {
    const { db, names } = project();
    for (const [minute, path] of ['cat/1.jpg', 'dog/2.jpg', 'cat/2.jpg'].entries()) {
      decide(db, {
        sampleIds: [idOf(db, path)],
        decision: { kind: minute === 1 ? 'skip' : 'confirm' },
        decidedAt: `2026-01-01T00:0${minute}`,
      });
    }
    expect(names({ states: ['confirmed', 'skipped'] }, 'decided')).toEqual(['cat/2.jpg', 'dog/2.jpg', 'cat/1.jpg']);
    expect(names({ states: ['unreviewed'] }, 'path')).toEqual(['cat/3.jpg', 'dog/1.jpg', 'owl/ÄRA.jpg']);
  });
});
