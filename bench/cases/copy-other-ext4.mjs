export default { kind: 'copy', title: 'copy T1 to another ext4', corpus: 'small', fileSystem: 'ext4' };
