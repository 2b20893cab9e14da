import type { EngineChoice, EngineName } from '../../shared/domain.ts';

/** What `auto` tries, in this order. */
export const enginesByPreference: EngineName[] = ['tensorflow', 'webgpu', 'wasm'];

/** The engines to try for a choice, best first. Apart from the loader, so that asking loads no engine. */
export function enginesFor(choice: EngineChoice): EngineName[] {
  return choice === 'auto' ? enginesByPreference : [choice];
}

/** How the device of an engine is called that computes graphics on the CPU: right, and slower than everything else. */
export const softwareDevice = 'software: ';

/**
 * Whether `auto` should measure an engine although it has found a usable one. A card that TensorFlow can use is used by TensorFlow; beside its
 * CPU, a card may be the faster one or not, which only measuring tells. WebAssembly is what remains where nothing else works.
 */
export function mayBeFaster(name: EngineName, found: { device: string }): boolean {
  return name === 'webgpu' && found.device.startsWith('CPU');
}
