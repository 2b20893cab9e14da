/**
 * One-cycle learning rate (Smith 2018), linear up and down: the large middle rate regularises, the long fall lets a short
 * run settle.
 * @param progress share of the run that is done, 0..1
 * @returns multiple of the peak rate
 */
export function oneCycle(progress: number): number {
  const peakAt = 0.2;
  const start = 0.05;
  const end = 0.001;
  return progress < peakAt
    ? start + (1 - start) * (progress / peakAt)
    : end + (1 - end) * ((1 - progress) / (1 - peakAt));
}
