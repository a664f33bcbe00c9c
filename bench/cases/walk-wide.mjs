export default { kind: 'walk', title: 'walk T2 (one wide directory), warm', corpus: 'wide' };
