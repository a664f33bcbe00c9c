// Single files that are written so that they last.
import { readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { DirectoryFd } from 'dirfd';
import { everyByte } from '../../fixtures/trees/plain.js';
import { holds } from '../judges.js';
import { type Answer, complete, type Subject } from '../subject.js';

const before = Buffer.from('what was there before\n');
const after = everyByte(100_000);

export const fileSubjects: readonly Subject[] = [
  {
    name: 'write-file',
    writes: true,
    makeWork: (work) => writeFileSync(`${work}/file`, before),
    run: async (work) => {
      await using directory = await DirectoryFd.open(work);
      await directory.writeFile('file', after, { flush: true });
      return complete;
    },
    // In place: a reader, and a crash, may see a part.
    judge: (work) => holds(work, { file: [after] }),
  },
  {
    name: 'link-into',
    writes: true,
    makeWork: (work) => writeFileSync(`${work}/file`, before),
    run: async (work) => await linkIntoPlace(work),
    // Between its link and its rename the draft has a name of its own, which SIGKILL leaves there: the caller's to remove.
    again: async (work) => {
      for (const draft of drafts(work)) unlinkSync(`${work}/${draft}`);
      return await linkIntoPlace(work);
    },
    judge: (work) => holds(work, { file: [after] }),
    judgeKilled: (work) => {
      const left = Object.fromEntries(drafts(work).map((draft) => [draft, [after]]));
      return holds(work, { file: [before, after], ...left });
    },
  },
];

const drafts = (work: string): string[] => readdirSync(work).filter((name) => name.startsWith('.dirfd-'));

async function linkIntoPlace(work: string): Promise<Answer> {
  await using directory = await DirectoryFd.open(work);
  await using draft = await directory.createTemporaryFile();
  await draft.writeFile(after);
  await draft.sync();
  await draft.linkInto(directory, 'file', { replace: true });
  await directory.sync();
  return complete;
}
