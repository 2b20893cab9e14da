import type { QueueFilter, QueueQuery } from '../../shared/api.ts';
import { reviewStates, type ReviewState, type SampleId } from '../../shared/domain.ts';
import { standsFor } from '../../src-main/store/classes.ts';
import type { Database } from '../../src-main/store/database.ts';
import { findingsRunId } from '../../src-main/store/findings.ts';

/** What `queryQueue` is to answer, by one statement over the tables as they are, and with nothing kept. */
export function askQueue(db: Database, { filter, sort }: QueueQuery): { ids: SampleId[]; states: number[] } {
  const runId = findingsRunId(db);
  const { where, values } = conditions(filter);
  const rows = db
    .prepare(
      `WITH mapped AS (
         SELECT sample_id, position, positions FROM run_sample JOIN map ON map.run_id = run_sample.run_id
          WHERE map.run_id = (SELECT max(run_id) FROM map)
       ), judged AS (
         SELECT finding.*, suggested_class_id <> given_class_id
                   AND ${standsFor('suggested_class_id')} = ${standsFor('given_class_id')} AS settled
           FROM finding JOIN sample ON sample.id = sample_id WHERE run_id = @runId
       ), shown AS (
         SELECT sample.id, path, coalesce(state, 'unreviewed') AS state, decided_at, decided_by, weight, abstention,
                ${standsFor('given_class_id')} AS given, ${standsFor('suggested_class_id')} AS suggested,
                iif(state = 'dropped', NULL, ${standsFor('coalesce(review.class_id, given_class_id)')}) AS current,
                iif(settled, 0, score) AS score, iif(settled, 0, flagged) AS flagged, position, positions
           FROM sample
           LEFT JOIN judged ON judged.sample_id = sample.id
           LEFT JOIN review ON review.sample_id = sample.id
           LEFT JOIN mapped ON mapped.sample_id = sample.id
          WHERE sample.present = 1
       )
       SELECT shown.id, state, position, positions, path,
              (SELECT group_concat(name, char(10)) FROM class WHERE id IN (given, suggested, current)) AS names
         FROM shown WHERE ${['1', ...where].join(' AND ')}
        ORDER BY ${orders[runId === null && sort !== 'decided' ? 'path' : sort]}`,
    )
    .all({ runId, ...values }) as Row[];
  const matches = rows.filter((row) => isNamed(row, filter.search) && isInside(row, filter.region));
  return {
    ids: matches.map(({ id }) => id),
    states: matches.map(({ state }) => reviewStates.indexOf(state)),
  };
}

interface Row {
  id: SampleId;
  state: ReviewState;
  path: string;
  names: string;
  position: number | null;
  positions: Buffer | null;
}

const orders: Record<QueueQuery['sort'], string> = {
  doubt: 'score DESC NULLS LAST, shown.id',
  abstention: 'abstention DESC NULLS LAST, score DESC NULLS LAST, shown.id',
  confidence: 'weight DESC NULLS LAST, shown.id',
  path: 'path',
  decided: 'decided_at DESC NULLS LAST, shown.id',
};

function conditions(filter: QueueFilter): { where: string[]; values: Record<string, unknown> } {
  const { minScore, maxScore, triage, actionId } = filter;
  const where: string[] = [];
  const among = (
    column: string,
    name: 'states' | 'decidedBy' | `${string}ClassIds`,
    list: readonly unknown[],
  ): void => {
    if (list.length === 0) return;
    const value = name.endsWith('ClassIds') ? standsFor('value') : 'value';
    where.push(`${column} IN (SELECT ${value} FROM json_each(@${name}))`);
  };
  among('state', 'states', filter.states);
  among('given', 'givenClassIds', filter.givenClassIds);
  among('suggested', 'suggestedClassIds', filter.suggestedClassIds);
  among('current', 'currentClassIds', filter.currentClassIds);
  among('decided_by', 'decidedBy', filter.decidedBy);
  if (filter.flaggedOnly) where.push('flagged = 1');
  if (minScore !== null) where.push('score >= @minScore');
  if (maxScore !== null) where.push('score <= @maxScore');
  if (triage !== null) where.push(`score ${triage.part === 'accept' ? '<' : '>='} @threshold`);
  if (actionId !== null) where.push('shown.id IN (SELECT sample_id FROM action_change WHERE action_id = @actionId)');
  const lists = Object.entries(filter).filter(([, value]) => Array.isArray(value));
  return {
    where,
    values: {
      ...Object.fromEntries(lists.map(([name, list]) => [name, JSON.stringify(list)])),
      minScore,
      maxScore,
      actionId,
      threshold: triage?.threshold ?? null,
    },
  };
}

function isNamed({ path, names }: Row, search: string): boolean {
  const key = (text: string): string => text.normalize('NFC').toLowerCase();
  return key(search)
    .split(/\s+/)
    .every(
      (word) =>
        key(path).includes(word) ||
        key(names)
          .split('\n')
          .some((name) => name.includes(word)),
    );
}

/** The number of times that the line goes around the point is odd, by the sum of angles: another way than the one that is tested. */
function isInside({ position, positions }: Row, region: readonly number[] | null): boolean {
  if (region === null) return true;
  if (position === null || positions === null) return false;
  const [x, y] = [positions.readFloatLE(8 * position), positions.readFloatLE(8 * position + 4)];
  let turned = 0;
  for (let i = 0; i < region.length; i += 2) {
    const next = (i + 2) % region.length;
    const before = Math.atan2(region[i + 1]! - y, region[i]! - x);
    const after = Math.atan2(region[next + 1]! - y, region[next]! - x);
    turned += Math.atan2(Math.sin(after - before), Math.cos(after - before));
  }
  return Math.abs(Math.round(turned / (2 * Math.PI))) % 2 === 1;
}
