export default {
  kind: 'copy',
  title: 'copy T1, 2 ms a request, to tmpfs',
  corpus: 'small',
  fileSystem: 'tmpfs',
  latency: 2,
};
