export default { kind: 'walk', title: 'walk T1 on xfs, cold', corpus: 'small', fileSystem: 'xfs', cold: true };
