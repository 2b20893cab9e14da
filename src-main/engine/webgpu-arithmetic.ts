import type { Precision } from './precision.ts';

/** How our programs compute on a device, where it leaves a choice. */
export interface Arithmetic {
  /** Of the factors in matrix products; everything else is single precision. */
  precision: Precision;
  /** In half precision: how many products are added in it before the sum goes on in single precision. */
  halfSums: HalfSums;
  /** Whether threads of a subgroup exchange sums without shared memory. */
  subgroups: boolean;
}

export type HalfSums = (typeof halfSumChoices)[number];
/** What divides a slice of the depth. */
export const halfSumChoices = [4, 8, 16] as const;

const chosen = new WeakMap<GPUDevice, Arithmetic>();

/**
 * The usual one: single precision, and subgroups where the device has them. Sums of 8 halves the instructions on cards whose halves are
 * twice as fast, and rounds less than a third more than sums of 4 (ADR 20).
 */
export function usualArithmetic(device: GPUDevice): Arithmetic {
  return { precision: 'f32', halfSums: 8, subgroups: device.features.has('subgroups') };
}

export function arithmeticOf(device: GPUDevice): Arithmetic {
  return chosen.get(device) ?? usualArithmetic(device);
}

/** From the next program on. The device must have the features that it needs. */
export function useArithmetic(device: GPUDevice, arithmetic: Arithmetic): void {
  chosen.set(device, arithmetic);
}
