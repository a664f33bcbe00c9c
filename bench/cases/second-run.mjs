// Nothing has changed since the first copy: what does it cost to find that out?
export default {
  kind: 'copy',
  title: 'second run over T1, nothing changed',
  corpus: 'small',
  fileSystem: 'ext4',
  again: true,
};
