/**
 * A progress bar on standard error, for a person at a terminal and nobody else. The work is not touched: ten times a second its counters
 * are read. Messages that come meanwhile are written above the bar.
 *
 *   copying [=========>          ] 46% │ 61,234 entries │ 512 MB │ 412 MB/s │ 2 s left
 */

import type { Options, Params } from 'cli-progress';
import { redirectMessages } from './messages.js';
import { bytes, count, duration } from './units.js';

export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

export interface Work {
  /** What is done, in one word: 'copying'. */
  readonly verb: string;
  readonly done: () => Amount;
  /** How much there is in all, once that is known. */
  readonly total?: () => Amount | undefined;
}

const INTERVAL = 100;
/** Milliseconds over which a rate is taken: shorter, and it flickers; longer, and it lies. */
const WINDOW = 3000;
/** What an entry costs, in bytes that could have been copied meanwhile: small files are bound by their number, large ones by their size. */
const ENTRY_WEIGHT = 16 * 1024;

export const isShown = (wanted: boolean | undefined): boolean => wanted !== false && process.stderr.isTTY === true;

/** Shows the bar until it is disposed of, which takes it off the screen again. */
export async function showProgress(work: Work): Promise<Disposable> {
  const { default: cliProgress } = await import('cli-progress');
  const rate = new Rate();
  const started = performance.now();
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: (options, params) => line(options, params, work, rate, (performance.now() - started) / 1000),
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 24,
    fps: 1000 / INTERVAL,
    clearOnComplete: true,
    hideCursor: true,
    forceRedraw: true,
    emptyOnZero: true,
    // Signals are interrupt.ts's, which ends the work and so the bar.
    gracefulExit: false,
  });
  bar.start(1, 0);
  const timer = setInterval(() => {
    rate.add(work.done());
    bar.update(fraction(work));
  }, INTERVAL).unref();
  const restoreMessages = redirectMessages((text) => void process.stderr.write(`\r\x1b[K${text}`));
  const restoreCursor = () => void process.stderr.write('\r\x1b[K\x1b[?25h');
  process.once('exit', restoreCursor);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      bar.stop();
      process.off('exit', restoreCursor);
      restoreMessages();
    },
  };
}

/** Below 1 until the end: the estimate may be short of what the tree has become. */
function fraction({ done, total }: Work): number {
  const whole = total?.();
  if (whole === undefined) return 0;
  return Math.min(0.999, weight(done()) / Math.max(weight(whole), 1));
}

function weight(amount: Amount): number {
  return amount.bytes + amount.entries * ENTRY_WEIGHT;
}

function line(options: Options, { progress }: Params, work: Work, rate: Rate, seconds: number): string {
  const { entries, bytes: size } = work.done();
  const known = work.total?.() !== undefined;
  const perSecond = rate.perSecond();
  const cells = [
    `${count(entries)} ${entries === 1 ? 'entry' : 'entries'}`,
    ...(size > 0 ? [bytes(size)] : []),
    size > 0 ? `${bytes(Math.round(perSecond.bytes))}/s` : `${count(Math.round(perSecond.entries))}/s`,
    known && progress > 0 && seconds > 1
      ? `${duration((seconds * (1 - progress)) / progress)} left`
      : duration(seconds),
  ];
  const start = known ? `${work.verb} ${picture(options, progress)} ${Math.floor(progress * 100)}%` : work.verb;
  return fitting([start, ...cells], process.stderr.columns || 80);
}

function picture({ barsize = 24, barCompleteChar = '=', barIncompleteChar = ' ' }: Options, progress: number): string {
  const filled = Math.floor(progress * barsize);
  return `[${`${barCompleteChar.repeat(filled)}>`.padEnd(barsize, barIncompleteChar).slice(0, barsize)}]`;
}

/** As many cells as one line holds: a bar that wraps leaves its pieces on the screen. */
function fitting(cells: readonly string[], columns: number): string {
  let text = cells[0] ?? '';
  for (const cell of cells.slice(1)) {
    if (text.length + cell.length + 3 >= columns) break;
    text += ` | ${cell}`;
  }
  return text.slice(0, columns - 1);
}

/** Entries and bytes a second over the last moments. */
class Rate {
  readonly #samples: (Amount & { readonly at: number })[] = [];

  add(amount: Amount): void {
    const at = performance.now();
    this.#samples.push({ ...amount, at });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW) this.#samples.shift();
  }

  perSecond(): Amount {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at === first.at) return { entries: 0, bytes: 0 };
    const seconds = (last.at - first.at) / 1000;
    return { entries: (last.entries - first.entries) / seconds, bytes: (last.bytes - first.bytes) / seconds };
  }
}
