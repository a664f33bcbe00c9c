export default { kind: 'walk', title: 'walk T4 (200 deep), warm', corpus: 'deep' };
