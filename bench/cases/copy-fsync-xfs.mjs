export default {
  kind: 'copy',
  title: 'copy T1 to another xfs, fsync of each file',
  corpus: 'small',
  fileSystem: 'xfs',
  fsync: true,
};
