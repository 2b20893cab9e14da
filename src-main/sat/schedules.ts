import type { Schedule } from '../../shared/domain.ts';

/**
 * The learning rate at a point of the run, as a multiple of the peak rate.
 * @param epoch from 0, with the share of it that is done as its fraction
 */
export function learningRateFactor(schedule: Schedule, epoch: number, epochs: number): number {
  switch (schedule.kind) {
    case 'one-cycle':
      return oneCycle(epoch / epochs);
    case 'cosine':
      return (1 + Math.cos((Math.PI * epoch) / epochs)) / 2;
    case 'constant':
      return 1;
    case 'steps':
      return schedule.factor ** schedule.epochs.filter((start) => start <= epoch).length;
  }
}

/**
 * One-cycle learning rate (Smith 2018), linear up and down: the large middle rate regularises, the long fall lets a short
 * run settle.
 */
function oneCycle(progress: number): number {
  const peakAt = 0.2;
  const start = 0.05;
  const end = 0.001;
  return progress < peakAt
    ? start + (1 - start) * (progress / peakAt)
    : end + (1 - end) * ((1 - progress) / (1 - peakAt));
}
