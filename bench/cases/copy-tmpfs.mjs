export default { kind: 'copy', title: 'copy T1 within one tmpfs', corpus: 'small', fileSystem: 'tmpfs', same: true };
