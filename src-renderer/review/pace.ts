/** Milliseconds from one image to the next below which nobody reads what is written about it; longer than a held key takes to repeat. */
export const restTime = 120;
