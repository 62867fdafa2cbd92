import { buildApp } from '../../cdk/build-app.ts';
import { addSecurityRules } from '../../cdk/security-rules.ts';
import { readSettings } from '../../cdk/settings.ts';

// The app with a way to the API server of each kind, with the door in Slack, and with rights for nodes, to see that it passes the rules as well.
const vpc = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
const app = buildApp({
  settings: readSettings({
    slack: { enabled: true, teamId: 'T012AB3CD' },
    nodeRoles: ['nodes'],
    clusters: {
      open: { api: { access: 'public' }, replacement: { enabled: true } },
      inside: { api: { access: 'vpc', vpc }, replacement: { enabled: true } },
    },
  }),
});
addSecurityRules(app);
app.synth();
