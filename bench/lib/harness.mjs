// The process of one trial of a driver written in JavaScript:
//     node harness.mjs DRIVER CONTEXT ARG…
// A walk's visit() reads path, size and mode of every entry, as a user of the walk would; with
// {"list":true} it prints them. The job's seconds go to stderr.
const [driverPath, contextText, ...args] = process.argv.slice(2);
const context = JSON.parse(contextText);
const { load } = await import(driverPath);
const job = await load();

let entries = 0;
let sum = 0;
const lines = [];

function visit(path, size, mode) {
  entries++;
  sum += path.length + size + mode;
}

function list(path, size, mode) {
  lines.push(`${path}\0${size}\0${(mode & 0o7777).toString(8)}\n`);
}

const isWalk = args.length === 1;
// First walks of a small tree, for the compiler's sake: a service does not pay for it on each of its walks. V8 has compiled the loops of every
// driver after the third.
const warmUps = context.warmUp !== undefined && isWalk ? 3 : 0;
for (let i = 0; i < warmUps; i++) await job(context.warmUp, visit);
entries = 0;
sum = 0;

const before = process.cpuUsage();
const started = process.hrtime.bigint();
if (isWalk) await job(args[0], context.list ? list : visit);
else await job(...args, context);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const { user, system } = process.cpuUsage(before);

process.stdout.write(lines.join(''));
process.stderr.write(`${JSON.stringify({ job: seconds, jobCpu: (user + system) / 1e6, entries, sum })}\n`);
