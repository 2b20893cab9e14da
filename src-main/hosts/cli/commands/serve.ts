import process from 'node:process';
import { createLogger } from '../../../../shared/logger.ts';
import { serve } from '../../server/serve.ts';
import { printJson, printLine, say } from '../output.ts';

export interface ServeCommandOptions {
  port?: number;
  json?: true;
}

export async function serveCommand(target: string | undefined, { port, json }: ServeCommandOptions): Promise<number> {
  await serve({
    target: target ?? null,
    port: port ?? null,
    logger: createLogger((entry) => void process.stderr.write(`${entry}\n`)),
    onListening(url) {
      if (json) {
        printJson({ url });
        return;
      }
      printLine(url);
      const { port: chosen } = new URL(url);
      say('Open this address in a browser of this machine. The token in it is the only way in; Ctrl+C ends.');
      say(`From another machine, first make a tunnel to here: ssh -L ${chosen}:127.0.0.1:${chosen} THIS_MACHINE`);
    },
  });
  return 0;
}
