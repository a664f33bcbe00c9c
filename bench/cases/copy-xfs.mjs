export default { kind: 'copy', title: 'copy T1 within one xfs', corpus: 'small', fileSystem: 'xfs', same: true };
