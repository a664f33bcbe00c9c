export default {
  kind: 'copy',
  title: 'copy T3 (large files), not cached, to another ext4',
  corpus: 'large',
  fileSystem: 'ext4',
  cold: true,
};
