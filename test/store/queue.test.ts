import { describe, expect, it } from 'vitest';
import { emptyFilter, type DecisionInput, type QueueFilter, type QueueQuery } from '../../shared/api.ts';
import { triage } from '../../src-main/domain/triage.ts';
import { readSampleCards } from '../../src-main/store/cards.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { findExemplars } from '../../src-main/store/exemplars.ts';
import { readJudgedLabels } from '../../src-main/store/findings.ts';
import { listPairs, queryQueue } from '../../src-main/store/queue.ts';
import { applyImport } from '../support/import-samples.ts';
import { classId, idOf, projectWith, runWithFindings, scanned } from './fixtures.ts';

const paths = ['dog/2.jpg', 'cat/1.jpg', 'cat/2.jpg', 'cat/3.jpg', 'dog/1.jpg', 'owl/ÄRA.jpg'];

function project() {
  const db = projectWith(paths);
  const names = (filter: Partial<QueueFilter>, sort: QueueQuery['sort'] = 'doubt'): string[] => {
    const { ids } = queryQueue(db, { filter: { ...emptyFilter, ...filter }, sort });
    return Array.from(
      ids,
      (id) => (db.prepare('SELECT path FROM sample WHERE id = ?').get(id) as { path: string }).path,
    );
  };
  return { db, names };
}

describe('queryQueue', () => {
  it('goes by path before the first run', () => {
    const { names } = project();
    expect(names({})).toEqual([...paths].sort());
    expect(names({ minScore: 0 })).toEqual([]);
  });

  it('sorts by doubt and filters', () => {
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
    expect(names({})).toEqual(['cat/3.jpg', 'dog/1.jpg', 'cat/1.jpg', 'dog/2.jpg', 'owl/ÄRA.jpg', 'dog/9.jpg']);
    expect(names({ flaggedOnly: true })).toEqual(['cat/3.jpg', 'dog/1.jpg']);
    expect(names({ maxScore: 0.1 })).toEqual(['cat/1.jpg', 'dog/2.jpg', 'owl/ÄRA.jpg']);
    expect(
      names({ minScore: 0.6, givenClassIds: [classId(db, 'cat')], suggestedClassIds: [classId(db, 'dog')] }),
    ).toEqual(['cat/3.jpg']);
    expect(names({ search: '/äRa' })).toEqual(['owl/ÄRA.jpg']);
    expect(names({ search: '%' })).toEqual([]);
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

  it('finds words in paths and in the names of all three labels', () => {
    const { db, names } = project();
    runWithFindings(db, { 'cat/2.jpg': { score: 0.9, suggested: 'dog' } });
    decide(db, {
      sampleIds: [idOf(db, 'cat/3.jpg')],
      decision: { kind: 'relabel-new', className: 'Ärmel Affe' },
      decidedAt: '2026-01-01',
    });
    expect(names({ search: 'dog' }, 'path')).toEqual(['cat/2.jpg', 'dog/1.jpg', 'dog/2.jpg']);
    expect(names({ search: ' 2.JPG  dog ' }, 'path')).toEqual(['cat/2.jpg', 'dog/2.jpg']);
    // The umlaut as one character and as two.
    expect(names({ search: 'affe \u00e4rmel' }, 'path')).toEqual(['cat/3.jpg']);
    expect(names({ search: 'a\u0308ra' }, 'path')).toEqual(['owl/ÄRA.jpg']);
    // Not across two paths, nor in what lies between them.
    expect([names({ search: 'jpgcat' }), names({ search: '\0' }).length]).toEqual([[], paths.length]);
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

describe('listPairs', () => {
  it('counts labels that differ among the matches, and how many of them are undecided', () => {
    const { db } = project();
    expect(listPairs(db, emptyFilter)).toEqual([]);
    runWithFindings(db, {
      'cat/1.jpg': { score: 0.1, suggested: 'dog' },
      'cat/2.jpg': { score: 0.9, suggested: 'dog' },
      'cat/3.jpg': { score: 0.6, suggested: 'dog' },
      'dog/1.jpg': { score: 0.6, suggested: 'cat' },
    });
    const decideOn = (path: string, kind: 'skip' | 'drop'): unknown =>
      decide(db, { sampleIds: [idOf(db, path)], decision: { kind }, decidedAt: '2026-01-01' });
    decideOn('cat/1.jpg', 'skip');
    decideOn('cat/2.jpg', 'drop');
    const [cat, dog] = [classId(db, 'cat'), classId(db, 'dog')];
    const catsAsDogs = { givenClassId: cat, suggestedClassId: dog };
    const dogsAsCats = { givenClassId: dog, suggestedClassId: cat, count: 1, undecided: 1 };
    expect(listPairs(db, emptyFilter)).toEqual([{ ...catsAsDogs, count: 3, undecided: 2 }, dogsAsCats]);
    expect(listPairs(db, { ...emptyFilter, flaggedOnly: true })).toEqual([
      { ...catsAsDogs, count: 2, undecided: 1 },
      dogsAsCats,
    ]);
    editClass(db, { kind: 'merge', classIds: [dog], into: cat }, { author: '', madeAt: '2026-01-02' });
    expect(listPairs(db, emptyFilter)).toEqual([]);
  });
});

describe('findExemplars', () => {
  it('takes what people decided first, then what the model is surest of, and nothing that was dropped', () => {
    const db = projectWith(['cat/1', 'cat/2', 'cat/3', 'cat/4', 'cat/5', 'cat/6', 'dog/1', 'dog/2', 'dog/3']);
    runWithFindings(db, {
      'cat/1': { score: 0.3, suggested: 'cat' },
      'cat/2': { score: 0.1, suggested: 'cat' },
      'cat/3': { score: 0.8, suggested: 'dog' },
      'cat/4': { score: 0.2, suggested: 'cat' },
      'cat/5': { score: 0.9, suggested: 'dog' },
      'dog/1': { score: 0.9, suggested: 'cat' },
    });
    const decideOn = (path: string, decision: DecisionInput): unknown =>
      decide(db, { sampleIds: [idOf(db, path)], decision, decidedAt: '2026-01-01' });
    const cat = classId(db, 'cat');
    const exemplars = (limit = 100): string[] =>
      readSampleCards(db, findExemplars(db, cat, limit)).map(({ path }) => path);
    expect(exemplars()).toEqual(['cat/6', 'cat/2', 'cat/4', 'cat/1']);
    decideOn('cat/6', { kind: 'drop' });
    decideOn('cat/2', { kind: 'relabel', classId: classId(db, 'dog') });
    decideOn('cat/5', { kind: 'confirm' });
    decideOn('dog/1', { kind: 'accept-suggestion' });
    expect(exemplars()).toEqual(['dog/1', 'cat/5', 'cat/4', 'cat/1']);
    expect(exemplars(2)).toEqual(['dog/1', 'cat/5']);
  });
});
