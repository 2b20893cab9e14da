import type { EngineChoice, EngineName } from '../../shared/domain.ts';

/** Fastest first: what `auto` tries. */
export const enginesByPreference: EngineName[] = ['tensorflow', 'webgpu', 'wasm'];

/** The engines to try for a choice, best first. Apart from the loader, so that asking loads no engine. */
export function enginesFor(choice: EngineChoice): EngineName[] {
  return choice === 'auto' ? enginesByPreference : [choice];
}
