// The process that faults are injected into: carries out one subject as often as it is told to, and answers with what came of it.
//
//   node child.js SUBJECT WORK FIXED      messages in: 'run' | 'again'; out: an Answer

import { rejection } from './subject.js';
import { subjectNamed } from './subjects.js';

const [name = '', work = '', fixed = ''] = process.argv.slice(2);
const subject = subjectNamed(name);

process.on('message', async (step: 'run' | 'again') => {
  const act = step === 'run' ? subject.run : (subject.again ?? subject.run);
  process.send?.(await act(work, fixed).catch(rejection));
});
process.send?.('ready');
