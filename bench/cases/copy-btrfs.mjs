export default { kind: 'copy', title: 'copy T1 within one btrfs', corpus: 'small', fileSystem: 'btrfs', same: true };
