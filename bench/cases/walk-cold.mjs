export default { kind: 'walk', title: 'walk T1, cold caches', corpus: 'small', cold: true };
