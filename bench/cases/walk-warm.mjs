export default { kind: 'walk', title: 'walk T1, warm', corpus: 'small' };
