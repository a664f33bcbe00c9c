// Medians, spread and ratios. A ratio is the median of the rounds' own ratios: what both suffered in
// the same round cancels out.

export function reportCase(definition, results, { absent, excluded }, { scale, rounds }) {
  const own = results.find(({ driver }) => driver.own);
  const floor = results.find(({ driver }) => driver.floor);
  const rows = results.map((result) => row(result, own, floor)).sort((a, b) => a.job - b.job);
  const heading = `\n## ${definition.title} (scale ${scale}, ${rounds} rounds)\n`;
  const lines = [
    `| | job s | min–max | × dirfd |${floor ? ' × bare C |' : ''} job CPU s | process s | its CPU s | peak MiB |`,
    `|---|---|---|---|${floor ? '---|' : ''}---|---|---|---|`,
    ...rows.map((shown) => line(shown, floor !== undefined)),
  ];
  if (absent.length > 0) lines.push('', `Absent: ${absent.join('; ')}.`);
  if (excluded.length > 0) lines.push('', `Not timed: ${excluded.join('; ')}.`);
  return { text: `${heading}\n${lines.join('\n')}`, json: { title: definition.title, rows, absent, excluded } };
}

function row({ driver, trials }, own, floor) {
  const of = (what) => trials.map((trial) => trial[what]);
  const times = (other) => other && median(trials.map(({ job }, round) => job / other.trials[round].job));
  return {
    name: driver.name,
    job: median(of('job')),
    spread: [Math.min(...of('job')), Math.max(...of('job'))],
    ratio: times(own),
    toFloor: times(floor),
    jobCpu: median(of('jobCpu')),
    wall: median(of('wall')),
    cpu: median(of('cpu')),
    peakMiB: median(of('peakMiB')),
  };
}

function line({ name, job, spread, ratio, toFloor, jobCpu, wall, cpu, peakMiB }, hasFloor) {
  const shown = [
    name,
    seconds(job),
    `${seconds(spread[0])}–${seconds(spread[1])}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    ...(hasFloor ? [toFloor.toFixed(2)] : []),
    seconds(jobCpu),
    seconds(wall),
    seconds(cpu),
    peakMiB.toFixed(0),
  ];
  return `| ${shown.join(' | ')} |`;
}

function seconds(value) {
  return value.toFixed(value < 10 ? 3 : 1);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
