import { dyingBelow, type Fault, shell, untilDying } from './fault.ts';

/** Dying cgroups to begin with. */
const enough = 80;

const agent = `[Unit]
Description=A host agent that another service wants, and that crashes in a loop
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'mkdir -p /var/lib/node-agent && file=$(mktemp -p /var/lib/node-agent) && date >"$file" && sync "$file"; exit 1'
Restart=always
RestartSec=100ms
`;
const reader = `[Unit]
Description=Reads what node-agent.service has written
Wants=node-agent.service
[Service]
ExecStart=/bin/sleep infinity
`;

/** The same of an agent that another service wants: it may be contained, and must not be stopped. */
export const agentLeak: Fault = {
  about:
    'node-agent.service, which node-reader.service wants, crashes and is started again and again; each start leaves a dying cgroup',
  cluster: { thresholds: { dyingFloor: 50 } },
  symptom: dyingBelow('/system.slice'),

  async make(node, signal) {
    await node.write('/etc/systemd/system/node-agent.service', agent);
    await node.write('/etc/systemd/system/node-reader.service', reader);
    await shell(
      node,
      `systemctl daemon-reload; systemctl start node-reader; ${untilDying('/system.slice', enough)}`,
      signal,
    );
  },

  async end(node) {
    await shell(
      node,
      `systemctl stop node-agent node-reader
      rm -rf /etc/systemd/system/node-{agent,reader}.service /var/lib/node-agent
      systemctl daemon-reload`,
    );
  },
};
