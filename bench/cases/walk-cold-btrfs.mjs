export default { kind: 'walk', title: 'walk T1 on btrfs, cold', corpus: 'small', fileSystem: 'btrfs', cold: true };
