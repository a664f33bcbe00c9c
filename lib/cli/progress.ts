/**
 * A progress bar on standard error, for a person at a terminal and nobody else. The work is not touched: ten times a second its counters
 * are read. Messages that come meanwhile are written above the bar.
 *
 *   copying [=========>          ] 46% | 61,234 of 133,012 entries | 512 MB | 412 MB/s | 2 s left
 */

import { redirectMessages } from './messages.js';
import { bytes, count, roughly } from './units.js';

export interface Amount {
  readonly entries: number;
  readonly bytes: number;
  /** Of content that needs nothing done: part of what there is, and of no rate. */
  readonly unchangedBytes?: number;
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
    format: () => line(work, rate, (performance.now() - started) / 1000),
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
  return amount.bytes + (amount.unchangedBytes ?? 0) + amount.entries * ENTRY_WEIGHT;
}

function line(work: Work, rate: Rate, seconds: number): string {
  const { entries, bytes: size } = work.done();
  const whole = work.total?.();
  const progress = whole && fraction(work);
  const perSecond = rate.perSecond();
  const isTimely = progress !== undefined && progress > 0 && seconds > 1;
  const noun = entries === 1 && !whole ? 'entry' : 'entries';
  return fitted(process.stderr.columns || 80, work.verb, progress, {
    ...(whole ? { ofAll: `${count(entries)} of ${count(whole.entries)} ${noun}` } : {}),
    entries: `${count(entries)} ${noun}`,
    ...(size > 0 ? { size: bytes(size) } : {}),
    rate: size > 0 ? `${bytes(Math.round(perSecond.bytes))}/s` : `${count(Math.round(perSecond.entries))}/s`,
    time: isTimely ? `${roughly((seconds * (1 - progress)) / progress)} left` : roughly(seconds),
  });
}

const LEAST_BAR = 10;
const MOST_BAR = 30;
type Cell = 'ofAll' | 'entries' | 'size' | 'rate' | 'time';
/** What a narrow terminal does without, the first of them first; after them the picture, and then the time. */
const DISPENSABLE: readonly Cell[] = ['ofAll', 'rate', 'entries', 'size'];

/** One line, whatever the width: a bar that wraps leaves its pieces on the screen. The picture takes what the words leave. */
export function fitted(
  columns: number,
  verb: string,
  progress: number | undefined,
  cells: Readonly<Partial<Record<Cell, string>>>,
): string {
  const shown = new Map(Object.entries(cells));
  const words = (): string =>
    [...shown].map(([cell, text]) => (cell === 'entries' && shown.has('ofAll') ? '' : ` | ${text}`)).join('');
  const percent = progress === undefined ? '' : ` ${String(Math.floor(progress * 100)).padStart(2)}%`;
  // The last column stays free: some terminals wrap when it is written.
  const room = (): number => columns - 1 - verb.length - percent.length - words().length;
  const needed = progress === undefined ? 0 : LEAST_BAR + 3;
  for (const cell of DISPENSABLE) if (room() < needed) shown.delete(cell);
  if (room() < 0) shown.delete('time');
  const hasPicture = progress !== undefined && room() >= needed;
  const bar = hasPicture ? ` ${picture(progress, Math.min(room() - 3, MOST_BAR))}` : '';
  return `${verb}${bar}${percent}${words()}`.slice(0, columns - 1);
}

function picture(progress: number, size: number): string {
  const filled = Math.floor(progress * size);
  return `[${`${'='.repeat(filled)}>`.padEnd(size).slice(0, size)}]`;
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
