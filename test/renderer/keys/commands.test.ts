import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDispatcher } from '../../../shared/transport.ts';
import { createService, type Service } from '../../../src-main/app/service.ts';
import { shellWithoutDialogs } from '../../../src-main/hosts/server/shell.ts';
import { AppState } from '../../../src-renderer/app-state.svelte.ts';
import { Commands } from '../../../src-renderer/keys/commands.svelte.ts';
import { createMemoryLogger } from '../../hosts/small-service.ts';

let folder: string;
let service: Service;
let commands: Commands;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-keys-'));
  service = createService({
    host: 'cli',
    version: '1.2.3',
    dataFolder: folder,
    nodePath: process.execPath,
    trainerProgram: 'none',
    workerProgram: 'none',
    shell: shellWithoutDialogs,
    logger: createMemoryLogger(),
  });
  commands = new Commands(openApp());
});

afterEach(async () => {
  await service.close();
  rmSync(folder, { recursive: true });
});

describe('layers', () => {
  test('of the same key the layer that came last decides, and one that does not know it lets it through', () => {
    const done: string[] = [];
    commands.register({ accept: () => done.push('accept'), drop: () => done.push('drop') });
    const leave = commands.register({ 'open-pair': () => done.push('open pair') });
    expect([commands.keyThatRuns('open-pair'), commands.keyThatRuns('accept')]).toEqual(['Enter', 'A']);
    press('Enter');
    press('d');
    leave();
    press('Enter');
    expect([done, commands.keyThatRuns('open-pair'), commands.keyThatRuns('accept')]).toEqual([
      ['open pair', 'drop', 'accept'],
      null,
      'Enter',
    ]);
  });

  test('what nobody answers to is left to the browser', () => {
    expect([commands.run('accept'), press('Enter').defaultPrevented, commands.available]).toEqual([false, false, []]);
    commands.register({ undo: () => undefined, accept: () => undefined });
    expect([commands.run('accept'), press('Enter').defaultPrevented, commands.available]).toEqual([
      true,
      true,
      ['accept', 'undo'],
    ]);
  });

  test('keys of classes come first, and say whether they took the key', () => {
    const done: string[] = [];
    commands.register({ drop: () => done.push('drop'), skip: () => done.push('skip') });
    const stop = commands.registerChords((chord) => chord === 'D' && done.push('class') > 0);
    press('d');
    press('s');
    stop();
    press('d');
    expect(done).toEqual(['class', 'skip', 'drop']);
  });

  test('a held key says so, and a key that was taken already is left alone', () => {
    const held: boolean[] = [];
    commands.register({ drop: (how) => held.push(how.held) });
    press('d');
    press('d', { repeat: true });
    press('d', { defaultPrevented: true });
    expect(held).toEqual([false, true]);
  });

  test('offers are for what was typed, as long as they are there', () => {
    const stop = commands.registerOffers((typed) => [
      { id: typed, title: typed, group: 'Classes', run: () => undefined },
    ]);
    expect(commands.offersFor('cat').map(({ id }) => id)).toEqual(['cat']);
    stop();
    expect(commands.offersFor('cat')).toEqual([]);
  });
});

describe('keys that were set', () => {
  test('are kept, reach every window, and can be taken back', async () => {
    const other = new Commands(openApp());
    const stop = other.listen();
    await commands.setKeys({ drop: ['Q'], skip: [] });
    await expect.poll(() => [other.keymap.keysOf('drop'), other.keymap.keysOf('skip')]).toEqual([['Q'], []]);
    expect([other.isChanged('drop'), other.isChanged('undo'), other.capsOf('drop'), other.capsOf('skip')]).toEqual([
      true,
      false,
      'Q',
      '',
    ]);
    const later = new Commands(openApp());
    await later.load();
    expect(later.keymap.keysOf('drop')).toEqual(['Q']);

    await other.setKeys({ drop: null });
    await commands.load();
    expect([commands.keymap.keysOf('drop'), commands.keymap.keysOf('skip')]).toEqual([['D', 'Delete'], []]);
    await commands.resetKeys();
    await expect.poll(() => other.keymap.keysOf('skip')).toEqual(['S']);
    stop();
  });
});

function openApp(): AppState {
  const dispatch = createDispatcher(service.handlers, (method, error) => {
    throw new Error(method, { cause: error });
  });
  return new AppState({
    transport: {
      invoke: dispatch,
      subscribe: (event, listener) => service.subscribe(event as 'settingsChanged', listener),
    },
    watchConnection: () => () => undefined,
    pathForFile: null,
  });
}

/** Presses a key with the focus nowhere. */
function press(key: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  vi.stubGlobal('document', { querySelector: () => null });
  vi.stubGlobal('Element', EventTarget);
  vi.stubGlobal('HTMLElement', EventTarget);
  const event = {
    key,
    code: `Key${key.toUpperCase()}`,
    target: null,
    repeat: false,
    defaultPrevented: false,
    preventDefault(this: { defaultPrevented: boolean }) {
      this.defaultPrevented = true;
    },
    ...more,
  } as KeyboardEvent;
  commands.dispatch(event);
  vi.unstubAllGlobals();
  return event;
}
