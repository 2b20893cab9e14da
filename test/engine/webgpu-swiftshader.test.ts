import { beforeAll } from 'vitest';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { requireSwiftShader } from '../support/software-gpu.ts';
import { describeNormalisation } from './webgpu-cases.ts';

/* What depends on the size of subgroups once more, on an adapter that has them of four; `webgpu.test.ts` may have found another one. */

let absent: string | null = null;

beforeAll(async () => {
  requireSwiftShader();
  try {
    const engine = await loadEngine('webgpu', null);
    console.log(`engine in use: webgpu, ${engine.device}`);
    engine.broken?.catch((error: unknown) => console.error(error));
  } catch (error) {
    absent = String(error);
    console.warn(`engine not in use: webgpu on SwiftShader: ${absent}`);
  }
});

describeNormalisation(() => absent);
