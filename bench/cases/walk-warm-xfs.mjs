export default { kind: 'walk', title: 'walk T1 on xfs, warm', corpus: 'small', fileSystem: 'xfs' };
