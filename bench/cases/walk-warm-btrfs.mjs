export default { kind: 'walk', title: 'walk T1 on btrfs, warm', corpus: 'small', fileSystem: 'btrfs' };
