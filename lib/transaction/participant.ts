/** A root that takes part in a transaction: its site, and the transaction's own directory there, where all that is new is staged. */

import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { FsError } from '../errors.js';
import { walk } from '../walk/walk.js';
import { markPrepared, writeCoordinator } from './coordinator.js';
import { SYNCED_ONE_BY_ONE } from './durable.js';
import { type Identity, identityOf } from './identity.js';
import { Journal } from './journal.js';
import { lockAll, type Site, unlockAll, type WaitOptions } from './site.js';

export class Participant implements AsyncDisposable {
  readonly site: Site;
  readonly work: DirectoryFd;
  readonly identity: Identity;
  /** In all roots but the first. */
  #coordinator: FileFd | undefined;
  #slots = 0;
  /** Of what was staged; infinite once it was not counted. */
  #entries = 0;

  private constructor(site: Site, work: DirectoryFd, identity: Identity) {
    this.site = site;
    this.work = work;
    this.identity = identity;
  }

  get root(): DirectoryFd {
    return this.site.root;
  }

  /** Makes the transaction's directories and its log, which lies in the first root. */
  static async beginAll(
    sites: readonly Site[],
    id: string,
    { keepUndo, ...options }: WaitOptions & { readonly keepUndo: boolean },
  ): Promise<{ participants: Participant[]; journal: Journal }> {
    // A recovery would take a directory without a log for what a crash has left: it stays out until the log is there, locked.
    const locks = await lockAll(sites, true, options);
    const made: Site[] = [];
    const participants: Participant[] = [];
    let journal: Journal | undefined;
    try {
      for (const site of sites) {
        await site.state.mkdir(id, { mode: 0o700 });
        made.push(site);
        const identity = identityOf(await site.root.stat());
        const work = await site.state.openDirectory(id);
        const participant = new Participant(site, work, identity);
        participants.push(participant);
        if (journal) participant.#coordinator = await writeCoordinator(work, { id, root: (sites[0] as Site).record });
        else journal = await Journal.create(work);
      }
      const roots = sites.map(({ record }) => record);
      // A recovery must find all roots by the first.
      if (roots.length > 1) await journal?.append([{ record: 'begin', version: 1, id, roots, keepUndo }]);
      return { participants, journal: journal as Journal };
    } catch (error) {
      for (const { state } of made.reverse()) await state.removeTree(id, { force: true }).catch(() => {});
      const opened = participants.flatMap((each) => [each.#coordinator, each.work]);
      await closeAll([journal, ...opened]).catch(() => {});
      throw error;
    } finally {
      await unlockAll(locks);
    }
  }

  newSlot(): number {
    return this.#slots++;
  }

  staged(entries: number): void {
    this.#entries += entries;
  }

  /** Resolves when all that was staged is on the disk, names included. */
  async sync(): Promise<void> {
    if (this.#coordinator) await markPrepared(this.work);
    if (this.#entries <= SYNCED_ONE_BY_ONE && (await this.#syncEach())) {
      await this.work.sync();
    } else {
      await this.root.syncFileSystem();
    }
    await this.site.state.sync();
  }

  /** @returns false where that is not possible */
  async #syncEach(): Promise<boolean> {
    for await (const batch of walk(this.work, { encoding: 'buffer' }).batches()) {
      const syncs = [...batch].map(async ({ kind, pathBytes }) => {
        if (kind !== 'file' && kind !== 'directory') return;
        await using held =
          kind === 'file' ? await this.work.openFile(pathBytes) : await this.work.openDirectory(pathBytes);
        await held.sync();
      });
      const outcomes = await Promise.allSettled(syncs);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      // A mode that denies reading is no failure to write.
      if (failed?.reason instanceof FsError && failed.reason.code === 'EACCES') return false;
      if (failed) throw failed.reason;
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll([this.#coordinator, this.work, this.site]);
  }
}
