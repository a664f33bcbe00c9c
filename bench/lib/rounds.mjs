/**
 * Every driver once a round, so that a machine that slows down slows all of them; each round begins
 * with another driver, so that none always comes first. A driver that fails once is out, with its reason.
 */
export function interleave(drivers, { rounds, firstRound = 0 }, run) {
  const results = drivers.map((driver) => ({ driver, trials: [], failure: undefined }));
  for (let round = firstRound; round < firstRound + rounds; round++) {
    for (let turn = 0; turn < drivers.length; turn++) {
      const result = results[(turn + round) % drivers.length];
      if (result.failure !== undefined) continue;
      progress(`round ${round + 1}: ${result.driver.name}`);
      try {
        result.trials.push(run(result.driver));
      } catch (error) {
        result.failure = error.message;
      }
    }
  }
  progress('');
  return results;
}

/** Splits off those that failed, as texts for the report. */
export function finished(results) {
  const failed = results.filter(({ failure }) => failure !== undefined);
  return {
    results: results.filter(({ failure }) => failure === undefined),
    failures: failed.map(({ driver, failure }) => `${driver.name} (${reasonIn(failure)})`),
  };
}

/** The line of a stack trace that says what happened. */
export function reasonIn(failure) {
  const lines = failure.split('\n').map((line) => line.trim());
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines[0]).slice(0, 160);
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
