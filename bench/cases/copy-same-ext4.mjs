export default { kind: 'copy', title: 'copy T1 within one ext4', corpus: 'small', fileSystem: 'ext4', same: true };
