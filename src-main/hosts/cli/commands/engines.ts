import type { EngineReport } from '../../../../shared/domain.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';

export async function enginesCommand({ json }: { json?: true }): Promise<number> {
  return await withService(async (client) => {
    if (!json) say('Measuring a training step of each engine …');
    const engines = await client.call('listEngines', { measure: true });
    if (json) printJson(engines);
    else for (const engine of engines) printEngine(engine);
    return engines.some(({ available }) => available) ? 0 : 1;
  });
}

function printEngine({ name, available, device, version, source, trainingGflops, absentBecause }: EngineReport): void {
  if (!available) {
    printLine(`${name}: absent. ${absentBecause ?? ''}`.trimEnd());
    return;
  }
  const speed = trainingGflops === null ? 'speed not measured' : `${trainingGflops.toFixed(1)} GFLOP/s in training`;
  printLine(`${name} ${version}: ${device}, ${speed}${source === null ? '' : `, from ${source}`}`);
}
