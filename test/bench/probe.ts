import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { PlainPage } from './plain-page.ts';

/* What is measured inside the page, and of its process. */

/** CSS of the parts of the window that the probe looks at. */
export interface ProbeSelectors {
  /** The scrolling list of samples. */
  grid: string;
  /** One sample of it, wherever in the list. */
  cell: string;
  /** Its words, there as soon as it is known what the sample is. */
  caption: string;
  /** The holder of the large picture, with the sample's number in `data-sample`. */
  stage: string;
}

interface Probe {
  /** Resolves at the first frame with what is described, with the milliseconds since `from` (a time of `performance.now`). */
  gridShown(from: number): Promise<number>;
  /** The same for another queue than the one that is shown now, since the latest input. */
  nextQueue(): Promise<{ cells: number; pictures: number }>;
  /** From the latest key to the next picture on the stage. */
  nextPicture(): Promise<number>;
  /** Times of the frames in which the page could run, until `stop`. */
  startFrames(): void;
  stopFrames(): number[];
  scrollToEnd(onPage: number): Promise<number>;
}

type ProbedWindow = typeof globalThis & { winnowProbe: Probe };

/** Makes a document and those that follow it in this page tell what they show, and when. */
export async function installProbe(page: Page, selectors: ProbeSelectors): Promise<void> {
  await page.addInitScript(probe, selectors);
  await page.evaluate(probe, selectors);
}

/** Milliseconds from the beginning of the navigation to the first grid with all its pictures. */
export function gridAfterLoad(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.gridShown(0));
}

/** Milliseconds from the key or click that ends `act` to the first grid with all its pictures. */
export function gridAfter(page: Page, act: () => Promise<void>): Promise<number> {
  return whileWatched(
    page,
    page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.gridShown(NaN)),
    act,
  );
}

/** Milliseconds from the key or click that ends `act` to the cells of another queue, and to the pictures in them. */
export function queueAfter(page: Page, act: () => Promise<void>): Promise<{ cells: number; pictures: number }> {
  return whileWatched(
    page,
    page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.nextQueue()),
    act,
  );
}

/** Milliseconds from a key to the next picture on the stage. */
export function pictureAfter(page: Page, key: string): Promise<number> {
  return whileWatched(
    page,
    page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.nextPicture()),
    () => page.keyboard.press(key),
  );
}

/** Goes through the whole list, a page at a time; of every tenth page, all pictures are waited for. Answers the number of pages. */
export function scrollThrough(page: PlainPage): Promise<number> {
  return page.evaluate((onPage) => (globalThis as ProbedWindow).winnowProbe.scrollToEnd(onPage), 10);
}

/** As `installProbe`, in the document that is there. */
export async function installPlainProbe(page: PlainPage, selectors: ProbeSelectors): Promise<void> {
  await page.evaluate(probe, selectors);
}

export interface FrameCounts {
  /** Share of the frames of the display, at 60 Hz, in which no script of the page could run before the frame was due, 0..1. */
  missedByPage: number;
  /** Of the frames in which something was to change, the share that Chromium itself counts as dropped, 0..1. */
  dropped: number;
  /** The share that showed the scrolling but not yet what the page had drawn for it, 0..1. */
  partial: number;
  frames: number;
}

/**
 * Frames while something scrolls, counted in two ways. By the page: gaps between calls of requestAnimationFrame, which also tell of
 * scripts that hold it up while the compositor goes on scrolling. By Chromium: `PipelineReporter` of its trace, one a frame, whose state
 * says whether it was presented, wholly or in part, or dropped; frames in which nothing was to change are left out.
 */
export async function countFrames(browser: Browser, page: Page, scroll: () => Promise<unknown>): Promise<FrameCounts> {
  await browser.startTracing(page, {
    categories: ['disabled-by-default-devtools.timeline.frame', 'blink.user_timing'],
  });
  // To begin a trace keeps Chromium's processes busy for a moment.
  await setTimeout(1000);
  await page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.startFrames());
  await scroll();
  const times = await page.evaluate(() => (globalThis as ProbedWindow).winnowProbe.stopFrames());
  const trace = await browser.stopTracing();
  const due = times.slice(1).map((time, index) => Math.max(1, Math.round((time - times[index]!) / framePeriod)));
  const all = due.reduce((sum, periods) => sum + periods, 0);
  const states = frameStates(trace);
  const share = (wanted: FrameState): number => states.filter((state) => state === wanted).length / states.length;
  return {
    missedByPage: 1 - due.length / all,
    dropped: share('dropped'),
    partial: share('partial'),
    frames: states.length,
  };
}

/** CPU time that all of Chromium's processes have used so far, ms. Unlike the clock, it tells little of what else the machine does. */
export async function cpuTime(browser: Browser): Promise<number> {
  const system = await browser.newBrowserCDPSession();
  const { processInfo } = await system.send('SystemInfo.getProcessInfo');
  await system.detach();
  return processInfo.reduce((sum, { cpuTime: seconds }) => sum + 1000 * seconds, 0);
}

export interface PageMemory {
  /** Objects of the page's scripts after a collection, MB. */
  heap: number;
  /** Memory of the process that draws the page which no other process shares, MB: scripts, styles, layout, decoded pictures. */
  renderer: number;
}

/** Memory of the page after everything that can be let go is let go. Linux only. */
export async function measureMemory(page: PlainPage): Promise<PageMemory> {
  await page.send('HeapProfiler.enable');
  for (let time = 0; time < 3; time += 1) await page.send('HeapProfiler.collectGarbage');
  await page.send('HeapProfiler.disable');
  await setTimeout(2000);
  await page.send('Performance.enable');
  const { metrics } = (await page.send('Performance.getMetrics')) as { metrics: { name: string; value: number }[] };
  const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? NaN;
  const renderer = Math.max(...(await page.rendererPids()).map(privateBytes));
  return { heap: heap / 1e6, renderer: renderer / 1e6 };
}

async function whileWatched<T>(page: Page, seen: Promise<T>, act: () => Promise<void>): Promise<T> {
  const acted = async (): Promise<void> => {
    // One round trip later, the page has begun to look, and knows what is there before it changes.
    await page.evaluate(() => undefined);
    await act();
  };
  return (await Promise.all([seen, acted()]))[0];
}

/** Headless Chromium draws for a display of 60 Hz. */
const framePeriod = 1000 / 60;

function privateBytes(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+:\s+(\d+) kB$/gm);
  return [...lines].reduce((sum, [, kilobytes]) => sum + 1024 * Number(kilobytes), 0);
}

type FrameState = 'dropped' | 'partial' | 'presented';

interface TraceEvent {
  name: string;
  ph: string;
  /** Microseconds. */
  ts: number;
  args: {
    frame_reporter?: { frame_sequence: number; layer_tree_host_id: number; state: string; affects_smoothness: boolean };
  };
}

/** What became of each frame from `startFrames` to `stopFrames`; what is loaded when the scrolling is over delays nothing that moves. Chromium reports twice of a frame in which the compositor went ahead of the page: the worse one counts. */
function frameStates(trace: Buffer): FrameState[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const states = new Map<string, FrameState>();
  const timeOf = (mark: string): number => traceEvents.find(({ name }) => name === mark)?.ts ?? NaN;
  const [begin, end] = [timeOf('frames-begin'), timeOf('frames-end')];
  for (const { name, ph, ts, args } of traceEvents) {
    const report = args.frame_reporter;
    if (name !== 'PipelineReporter' || ph !== 'b' || report === undefined || ts < begin || ts > end) continue;
    const frame = `${report.layer_tree_host_id} ${report.frame_sequence}`;
    const worst = states.get(frame);
    if (report.state === 'STATE_DROPPED' && report.affects_smoothness) states.set(frame, 'dropped');
    else if (report.state === 'STATE_PRESENTED_PARTIAL' && worst !== 'dropped') states.set(frame, 'partial');
    else if (report.state === 'STATE_PRESENTED_ALL' && worst === undefined) states.set(frame, 'presented');
  }
  return [...states.values()];
}

/** Runs in the page, so it can use nothing of this file. */
function probe(selectors: ProbeSelectors): void {
  let latestInput = NaN;
  for (const type of ['keydown', 'click'] as const) {
    addEventListener(type, ({ timeStamp }) => (latestInput = timeStamp), { capture: true });
  }

  const cellsInView = (): HTMLElement[] => {
    const grid = document.querySelector(selectors.grid);
    if (grid === null) return [];
    const view = grid.getBoundingClientRect();
    return [...grid.querySelectorAll<HTMLElement>(selectors.cell)].filter((cell) => {
      const { top, bottom } = cell.getBoundingClientRect();
      return bottom > view.top && top < view.bottom;
    });
  };
  const areKnown = (cells: HTMLElement[]): boolean =>
    cells.length > 0 && cells.every((cell) => cell.querySelector(selectors.caption) !== null);
  const havePictures = (cells: HTMLElement[]): boolean =>
    areKnown(cells) &&
    cells.every((cell) => {
      const picture = cell.querySelector('img');
      return picture !== null && picture.complete && picture.naturalWidth > 0;
    });
  /** Which queue is shown: how long it is, and what comes first. */
  const queueShown = (): string => {
    const first = cellsInView()[0];
    return `${first?.ariaSetSize ?? ''} ${first?.querySelector('img')?.src ?? ''}`;
  };
  /** Time of the end of the first frame that fulfils a condition. */
  const frameWith = (condition: () => boolean): Promise<number> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) {
          requestAnimationFrame(look);
          return;
        }
        // The first task after the frame.
        const afterFrame = new MessageChannel();
        afterFrame.port1.onmessage = () => resolve(performance.now());
        afterFrame.port2.postMessage(null);
      };
      requestAnimationFrame(look);
    });

  let frameTimes: number[] | null = null;
  const winnowProbe: Probe = {
    gridShown: async (from) => {
      const at = await frameWith(() => havePictures(cellsInView()));
      return at - (Number.isNaN(from) ? latestInput : from);
    },
    nextQueue: async () => {
      const before = queueShown();
      const cells = await frameWith(() => queueShown() !== before && areKnown(cellsInView()));
      const began = latestInput;
      const pictures = await frameWith(() => havePictures(cellsInView()));
      return { cells: cells - began, pictures: pictures - began };
    },
    nextPicture: async () => {
      const place = document.querySelector<HTMLElement>(selectors.stage);
      if (place === null) throw new Error('No picture is shown.');
      const before = place.dataset.sample;
      const at = await new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          if (place.dataset.sample === before) return;
          observer.disconnect();
          void frameWith(() => true).then(resolve);
        });
        observer.observe(place, { attributes: true, attributeFilter: ['data-sample'] });
      });
      return at - latestInput;
    },
    startFrames: () => {
      const times: number[] = [];
      frameTimes = times;
      performance.mark('frames-begin');
      const note = (time: number): void => {
        times.push(time);
        if (frameTimes === times) requestAnimationFrame(note);
      };
      requestAnimationFrame(note);
    },
    stopFrames: () => {
      performance.mark('frames-end');
      const times = frameTimes ?? [];
      frameTimes = null;
      return times;
    },
    scrollToEnd: async (thorough) => {
      const grid = document.querySelector(selectors.grid);
      if (grid === null) throw new Error('No grid is shown.');
      let pages = 0;
      while (grid.scrollTop + grid.clientHeight < grid.scrollHeight - 1) {
        grid.scrollTop += grid.clientHeight;
        pages += 1;
        await frameWith(() => true);
        await frameWith(() => pages % thorough !== 0 || havePictures(cellsInView()));
      }
      return pages;
    },
  };
  Object.assign(globalThis, { winnowProbe });
}
