export default { kind: 'copy', title: 'copy T3 (large files) to another ext4', corpus: 'large', fileSystem: 'ext4' };
