export default { kind: 'walk', title: 'walk T2 (one wide directory), 2 ms a request', corpus: 'wide', latency: 2 };
