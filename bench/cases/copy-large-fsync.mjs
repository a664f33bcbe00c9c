export default {
  kind: 'copy',
  title: 'copy T3 (large files), not cached, to another ext4, with fsync',
  corpus: 'large',
  fileSystem: 'ext4',
  cold: true,
  fsync: true,
};
