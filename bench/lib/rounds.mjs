/**
 * Every driver once a round, so that a machine that slows down slows all of them; each round begins
 * with another driver, so that none always comes first.
 */
export function interleave(drivers, { rounds, firstRound = 0 }, run) {
  const results = drivers.map((driver) => ({ driver, trials: [] }));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < drivers.length; turn++) {
      const result = results[(turn + round + firstRound) % drivers.length];
      result.trials.push(run(result.driver));
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K  round ${round + firstRound + 1}: ${result.driver.name}`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return results;
}
