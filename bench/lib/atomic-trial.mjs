// One trial of bench/atomic.mjs: driver, level, writers, writes, size, place. Prints microseconds a write.

const [driver, level, writers, writes, size, place] = process.argv.slice(2);
const { prepare } = await import(`../drivers/atomic/${driver}.mjs`);
const { write, end } = await prepare(place, level);

/** Each writer has a file of its own, and replaces it again and again. */
async function turns(writer, count) {
  for (let turn = 0; turn < count; turn++) await write(`file-${writer}`, String(turn % 10).repeat(Number(size)));
}

const all = (count) => Promise.all(Array.from({ length: Number(writers) }, (_, writer) => turns(writer, count)));

const each = Math.ceil(Number(writes) / Number(writers));
// The first writes compile the code, make the files and start the threads.
const warm = each > 10 ? 5 : 0;
if (warm > 0) await all(warm);
const started = process.hrtime.bigint();
await all(each);
const elapsed = Number(process.hrtime.bigint() - started) / 1000;
await end?.();
console.log(elapsed / (each * Number(writers)));
