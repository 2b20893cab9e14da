import { expect, it } from 'vitest';
import type { ApiClient } from '../../../shared/api.ts';
import { failure, ok } from '../../../shared/result.ts';
import { ProjectPath } from '../../../src-renderer/import/project-path.svelte.ts';

type Answer = Awaited<ReturnType<ApiClient['suggestProjectPath']>>;

/** A client whose answers come when the test says so. */
function waitingClient() {
  const answers = new Map<string, (answer: Answer) => void>();
  return {
    answers,
    client: {
      suggestProjectPath: ({ folder }: { folder: string }) =>
        new Promise<Answer>((resolve) => answers.set(folder, resolve)),
    },
  };
}

const suggested = (path: string): Answer => ok({ path, exists: true });

it('takes the suggestion for the folder, and says why there is none', async () => {
  const { answers, client } = waitingClient();
  const project = new ProjectPath(client);
  const first = project.suggestFor('/photos');
  answers.get('/photos')!(suggested('/home/photos.winnow'));
  expect([await first, project.path, project.exists]).toEqual([null, '/home/photos.winnow', true]);
  const second = project.suggestFor('/gone');
  answers.get('/gone')!(failure('folder-missing', 'There is no folder /gone.'));
  expect([await second, project.path]).toEqual(['There is no folder /gone.', '/home/photos.winnow']);
});

it('leaves a path that was typed before the suggestion came', async () => {
  const { answers, client } = waitingClient();
  const project = new ProjectPath(client);
  const suggestion = project.suggestFor('/photos');
  project.path = '/mine.winnow';
  answers.get('/photos')!(suggested('/home/photos.winnow'));
  await suggestion;
  expect([project.path, project.exists]).toEqual(['/mine.winnow', false]);
});

it('goes by the folder that was chosen last, whichever answer comes last', async () => {
  const { answers, client } = waitingClient();
  const project = new ProjectPath(client);
  const both = [project.suggestFor('/a'), project.suggestFor('/b')];
  answers.get('/b')!(suggested('/home/b.winnow'));
  answers.get('/a')!(suggested('/home/a.winnow'));
  await Promise.all(both);
  expect(project.path).toBe('/home/b.winnow');
});
