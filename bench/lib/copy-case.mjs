import { join } from 'node:path';
import { whatDiffers } from './check-copy.mjs';
import { corpus, fillCorpus, warm } from './corpus.mjs';
import { freshFileSystem } from './images.mjs';
import { latencyFileSystem } from './latency.mjs';
import { settle } from './machine.mjs';
import { finished, interleave } from './rounds.mjs';
import { trial } from './trial.mjs';

/** GiB of each corpus at scale 1, with what a file system adds to it. */
const sizes = { small: 1.2, wide: 1.2, large: 4.3, deep: 0.1 };

export function copyCase(definition, drivers, options) {
  const { equal, others } = whoCopiesWell(definition, drivers, options);
  const time = definition.same ? sameFileSystem : eachOnItsOwn;
  const { results, failures } = finished(time(definition, equal, options));
  return { results, excluded: [...others, ...failures] };
}

/** Checked on a small corpus: a copy that is not equal is none to compare with. */
function whoCopiesWell(definition, drivers, options) {
  const equal = [];
  const others = [];
  for (const driver of drivers) {
    withFileSystem(definition, 0.01, 1, options, (source, place) => {
      const wrong = whatIsWrong(driver, source, join(place, 'copy'), options);
      if (wrong === undefined) equal.push(driver);
      else others.push(`${driver.name} (${wrong})`);
    });
  }
  return { equal, others };
}

function whatIsWrong(driver, source, destination, options) {
  try {
    trial(driver, [source, destination], {}, options);
  } catch (error) {
    return error.message.split('\n')[0].slice(0, 160);
  }
  const changes = whatDiffers(driver, source, destination);
  return changes.length === 0 ? undefined : `its copy is not equal: ${changes.slice(0, 3).join(', ')}…`;
}

/** Every trial on a file system made for it: what is deleted on ext4 slows what is made after. */
function eachOnItsOwn(definition, drivers, options) {
  return interleave(drivers, options, (driver) =>
    withFileSystem(definition, options.scale, 1, options, (source, place) => {
      const destination = join(place, 'copy');
      if (definition.again) trial(driver, [source, destination], {}, options);
      if (!definition.latency) warm(source);
      settle({ cold: definition.cold });
      const context = { again: definition.again ?? false, fsync: definition.fsync ?? false };
      return trial(driver, [source, destination], context, options);
    }),
  );
}

/** Source and copies lie on one file system, made anew for every round and large enough for all. */
function sameFileSystem(definition, drivers, options) {
  const rounds = [];
  for (let round = 0; round < options.rounds; round++) {
    withFileSystem(definition, options.scale, drivers.length, options, (source, place) => {
      warm(source);
      const one = interleave(drivers, { ...options, rounds: 1, firstRound: round }, (driver) => {
        settle();
        return trial(driver, [source, join(place, `copy-${driver.id}`)], {}, options);
      });
      rounds.push(one);
    });
  }
  return drivers.map((driver, index) => ({
    driver,
    trials: rounds.flatMap((one) => one[index].trials),
    failure: rounds.map((one) => one[index].failure).find((failure) => failure !== undefined),
  }));
}

function withFileSystem(definition, scale, copies, options, use) {
  const gibibytes = 0.5 + sizes[definition.corpus] * scale * (copies + (definition.same ? 1 : 0));
  const mount = freshFileSystem(definition.fileSystem, gibibytes, options.images);
  try {
    const inside = join(mount.point, 'source');
    if (definition.same) fillCorpus(definition.corpus, scale, inside);
    const source = definition.same ? inside : corpus(definition.corpus, scale, options.place);
    if (!definition.latency) return use(source, mount.point);
    const slow = latencyFileSystem(source, definition.latency, options.place);
    try {
      return use(slow.point, mount.point);
    } finally {
      slow.release();
    }
  } finally {
    mount.release();
  }
}
