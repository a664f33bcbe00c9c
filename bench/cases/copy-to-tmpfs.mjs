export default { kind: 'copy', title: 'copy T1 from ext4 to tmpfs', corpus: 'small', fileSystem: 'tmpfs' };
