const incident = { incident: 'i-1' };
const turn = { ...incident, fencing: '1' };

/** What every document has to be given. */
export const required: Record<string, Record<string, string>> = {
  'collect-evidence': {},
  'collect-services': {},
  'contain-sessions': turn,
  'contain-unit': { unit: 'my-agent', ...turn },
  'disable-agent': { unit: 'my-agent', ...turn },
  'disable-linger': incident,
  'drop-caches': { approval: 'policy:p', ...turn },
  'enable-agent': incident,
  'enable-linger': { users: 'alice', ...turn },
  'prune-containers': turn,
  reclaim: { slices: '/a.slice', ...turn },
  'reclaim-restore': incident,
  'release-sessions': incident,
  'release-unit': incident,
  'restart-kubelet': turn,
  'restart-logind': turn,
  'stop-scopes': { processesOf: 'alice', ...turn },
};
