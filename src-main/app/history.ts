import type { ApiHandlers, ReviewChange } from '../../shared/api.ts';
import type { Authorship } from '../store/actions.ts';
import { editClass } from '../store/class-edits.ts';
import { decide } from '../store/decisions.ts';
import { jumpTo, listHistory, redo, undo } from '../store/history.ts';
import type { Events } from './events.ts';
import type { Project } from './projects.ts';

type HistoryMethods = Pick<ApiHandlers, 'decide' | 'undo' | 'redo' | 'editClass' | 'listHistory' | 'jumpTo'>;

/** Deciding, and all that can be undone. Every change is on disk, with its author, before it is answered and announced. */
export function historyHandlers(openProject: () => Project, events: Events, reviewer: () => string): HistoryMethods {
  const announced = <C extends ReviewChange | null>(change: C): C => {
    if (change !== null) events.emit('reviewChanged', change);
    return change;
  };
  const now = (): Authorship => ({ author: reviewer(), madeAt: new Date().toISOString() });
  return {
    decide: ({ sampleIds, decision }) => {
      const { author, madeAt } = now();
      return announced(decide(openProject().db, { sampleIds, decision, decidedAt: madeAt, decidedBy: author }));
    },
    undo: () => announced(undo(openProject().db)),
    redo: () => announced(redo(openProject().db)),
    editClass: (edit) => announced(editClass(openProject().db, edit, now())),
    listHistory: (page) => listHistory(openProject().db, page),
    jumpTo: ({ actionId }) => announced(jumpTo(openProject().db, actionId)),
  };
}
