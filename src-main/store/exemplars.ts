import { reviewStates, type ClassId, type SampleId } from '../../shared/domain.ts';
import { classResolver } from './classes.ts';
import type { Database } from './database.ts';
import { sampleIndex } from './sample-index.ts';

/**
 * The samples that show best what a class is: those to which a person gave it, the ones first that the model sees as it too; then those
 * that were given it and that the model agrees on, least doubted first. Among equals, those with the highest weight.
 */
export function findExemplars(db: Database, classId: ClassId, limit: number): SampleId[] {
  const { count, id, given, suggested, current, score, weight, state } = sampleIndex(db).columns;
  const wanted = classResolver(db)(classId);
  const best: Exemplar[] = [];
  for (let row = 0; row < count; row++) {
    if (current[row] !== wanted) continue;
    const decided = state[row] === confirmed || state[row] === relabeled;
    const agrees = suggested[row] === wanted;
    if (!decided && !(agrees && given[row] === wanted)) continue;
    best.push({
      id: id[row]!,
      tier: decided ? (agrees ? 0 : 1) : 2,
      // Of a decided sample the doubt was about another label, perhaps, and has been answered.
      doubt: decided ? 0 : score[row]!,
      weight: Number.isNaN(weight[row]!) ? 0 : weight[row]!,
    });
  }
  return best
    .sort((a, b) => a.tier - b.tier || a.doubt - b.doubt || b.weight - a.weight || a.id - b.id)
    .slice(0, limit)
    .map((exemplar) => exemplar.id);
}

interface Exemplar {
  id: SampleId;
  tier: number;
  doubt: number;
  weight: number;
}

const [confirmed, relabeled] = [reviewStates.indexOf('confirmed'), reviewStates.indexOf('relabeled')];
