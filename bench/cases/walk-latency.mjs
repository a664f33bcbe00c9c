export default { kind: 'walk', title: 'walk T1, 2 ms a request', corpus: 'small', latency: 2 };
