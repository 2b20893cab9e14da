import type { ReviewState } from '../../shared/domain.ts';

/** What people call the states. */
export const stateNames: Record<ReviewState, string> = {
  unreviewed: 'Undecided',
  confirmed: 'Kept',
  relabeled: 'Relabeled',
  dropped: 'Dropped',
  skipped: 'Skipped',
};
