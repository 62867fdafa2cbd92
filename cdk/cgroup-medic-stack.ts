import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { longestWait } from '../lambdas/domain/gates/waiting.ts';
import { longestReplacement } from '../lambdas/domain/settings/replacement.ts';
import type { Settings } from '../lambdas/domain/settings.ts';
import { treatments } from '../lambdas/domain/treatments/index.ts';
import packageJson from '../package.json' with { type: 'json' };
import { AuditTrail } from './constructs/audit-trail.ts';
import { Census } from './constructs/census.ts';
import { ClusterAccess } from './constructs/cluster-access.ts';
import { ClusterAlarms } from './constructs/cluster-alarms.ts';
import { CordonSweeper } from './constructs/cordon-sweeper.ts';
import { DecideRunbook } from './constructs/decide-runbook.ts';
import { Documents } from './constructs/documents.ts';
import { FleetDashboard } from './constructs/fleet-dashboard.ts';
import { IncidentWorkflow } from './constructs/incident-workflow.ts';
import { Intake } from './constructs/intake.ts';
import { JanitorRule } from './constructs/janitor-rule.ts';
import { MedicFunctions } from './constructs/medic-functions.ts';
import { Metrics } from './constructs/metrics.ts';
import { ModeParameters } from './constructs/mode-parameters.ts';
import { NodeRights } from './constructs/node-rights.ts';
import { Nodes } from './constructs/nodes.ts';
import { Notifications } from './constructs/notifications.ts';
import { PausePolicy } from './constructs/pause-policy.ts';
import { PipelineAlarms } from './constructs/pipeline-alarms.ts';
import { PrometheusRules } from './constructs/prometheus-rules.ts';
import { SavedQueries } from './constructs/saved-queries.ts';
import { ScalingGroups } from './constructs/scaling-groups.ts';
import { SigningKey } from './constructs/signing-key.ts';
import { Slack } from './constructs/slack.ts';
import { StandingPolicy } from './constructs/standing-policy.ts';
import { StateTable } from './constructs/state-table.ts';
import { functionNames } from './function-names.ts';

export interface CgroupMedicStackProps extends StackProps {
  readonly settings: Settings;
}

/** Wires the parts together. What each part is, and what it lets others do, stands in `constructs/`. */
export class CgroupMedicStack extends Stack {
  constructor(scope: Construct, id: string, { settings, ...props }: CgroupMedicStackProps) {
    super(scope, id, props);
    // The CDK warns from 800 KB on; here it is an error from 900 KB on, with what to do (template-limits.ts).
    Validations.of(this).acknowledge({
      id: 'Annotation::@aws-cdk/core:Stack.templateSize',
      reason: 'cdk/template-limits.ts holds the template to a limit of its own, and says what to do.',
    });
    const clusters = Object.entries(settings.clusters);

    const documents = new Documents(this, 'Documents', { clusters: clusters.map(([name]) => name) });
    const stateTable = new StateTable(this, 'State');
    const auditTrail = new AuditTrail(this, 'Audit', { retentionDays: settings.audit.retentionDays });
    const signingKey = new SigningKey(this, 'Signing');
    const notifications = new Notifications(this, 'Notifications', { emails: settings.notify.emails });
    const metrics = new Metrics(this, 'Metrics');
    const nodes = new Nodes(this, 'Nodes', { clusters: clusters.map(([name]) => name) });
    const modes = new ModeParameters(this, 'Modes', {
      initialModes: Object.fromEntries(clusters.map(([name, { initialMode }]) => [name, initialMode])),
    });

    const environment = {
      STATE_TABLE: stateTable.tableName,
      AUDIT_TABLE: auditTrail.tableName,
      AUDIT_LOG_GROUP: auditTrail.logGroupName,
      NOTIFY_TOPIC_ARN: notifications.topicArn,
      SIGNING_KEY_ID: signingKey.keyId,
      MODE_PARAMETER_PREFIX: modes.prefix,
      DOCUMENTS: documents.toJson(),
      DECIDE_DOCUMENT: DecideRunbook.nameIn(this),
      SOFTWARE_VERSION: packageJson.version,
      POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
      NODE_OPTIONS: '--enable-source-maps',
    };
    const { byName: functions } = new MedicFunctions(this, 'Functions', { settings, environment });
    const replacing = clusters.filter(([, { replacement }]) => replacement.enabled);
    const expiries = clusters.flatMap(([, { approval }]) => Object.values(approval.expirySeconds));
    const workflow = new IncidentWorkflow(this, 'Incident', {
      functions,
      longestApproval: Math.max(...expiries),
      longestWait: Math.max(...clusters.map(([, { gates, approval }]) => longestWait(gates, approval))),
      longestReplacement: Math.max(
        0,
        ...replacing.map(([, { replacement }]) => longestReplacement(replacement)),
      ),
    });
    const alarmAction = notifications.alarmAction();
    new JanitorRule(this, 'Janitor', {
      stateMachine: workflow.stateMachine,
      janitor: functions.janitor,
      onFailure: alarmAction,
    });

    for (const name of functionNames) {
      stateTable.grantLeases(functions[name]);
      auditTrail.grantAppend(functions[name]);
    }
    for (const name of ['request-approval', 'settle-approval', 'decide', 'janitor'] as const) {
      stateTable.grantReadWrite(functions[name]);
    }
    for (const name of ['collect-evidence', 'collect-services']) {
      documents.grantSend(functions['send-evidence'], name);
    }
    for (const { document, undoDocument } of treatments) {
      if (document !== undefined) documents.grantSend(functions['send-treatment'], document);
      if (undoDocument === undefined) continue;
      documents.grantSend(functions['send-undo'], undoDocument);
      documents.grantSend(functions.janitor, undoDocument);
    }
    // The treatment's own command may still run when it has to be undone.
    documents.grantCancel(functions['send-undo']);
    documents.grantFollow(functions['poll-command']);
    documents.grantFollow(functions.janitor);
    nodes.grantReadTags(functions.open);
    nodes.grantReadNames(functions.open);
    nodes.grantReadConsole(functions['examine-around']);
    metrics.grantRead(functions['examine-around']);
    const intake = new Intake(this, 'Intake', { settings, workflow, auditTrail, nodes });
    const sweeper =
      replacing.length === 0
        ? undefined
        : new CordonSweeper(this, 'Sweeper', {
            clusters: replacing.map(([name]) => name),
            settings,
            environment,
            stateTable,
            auditTrail,
            signingKey,
            notifications,
          });
    new ClusterAccess(this, 'Clusters', {
      settings,
      examiner: functions['examine-around'],
      intake: intake.intake,
      gatekeepers: { gate: functions.gate, recheck: functions.recheck },
      changing: [
        functions['replace-step'],
        functions['hold-node'],
        functions['send-undo'],
        functions.close,
        functions.janitor,
        ...(sweeper === undefined ? [] : [sweeper.lambda]),
      ],
      nodes,
    });
    for (const gatekeeper of [functions.gate, functions.recheck]) {
      modes.grantRead(gatekeeper);
      stateTable.grantListPauses(gatekeeper);
      nodes.grantReadTags(gatekeeper);
      // The machine image, where the opening could not learn it.
      nodes.grantReadNames(gatekeeper);
    }
    if (replacing.length > 0) {
      ClusterAccess.grantNodeGroups(
        functions['replace-step'],
        replacing.map(([name]) => name),
      );
      nodes.grantReadTags(functions['replace-step']);
      nodes.grantReadNames(functions['replace-step']);
      nodes.grantReadNames(functions['hold-node']);
      new ScalingGroups(this, 'ScalingGroups', { clusters: replacing.map(([name]) => name) }).grantReplace(
        functions['replace-step'],
      );
    }
    new PausePolicy(this, 'Pauses', { stateTable, modes, clusters: clusters.map(([name]) => name) });
    new StandingPolicy(this, 'Standing', { stateTable, modes, clusters: clusters.map(([name]) => name) });
    const telling = [
      'request-approval',
      'settle-approval',
      'diagnose',
      'record-treatment',
      'replace-step',
      'verify',
      'notify',
      'next-rung',
      'close',
      'janitor',
    ] as const;
    for (const name of telling) {
      notifications.grantPublish(functions[name]);
    }
    metrics.grantPublish(functions.close);
    signingKey.grantSign(functions.close);
    signingKey.grantSign(functions.janitor);
    workflow.grantWakeUp(functions.decide);

    if (settings.slack.enabled) {
      new Slack(this, 'Slack', {
        settings,
        notifications,
        stateTable,
        decide: functions.decide,
        action: alarmAction,
      });
    }

    const census = new Census(this, 'Census', {
      settings,
      documents,
      stateTable,
      notifications,
      metrics,
      nodes,
      intake,
    });

    new DecideRunbook(this, 'ConsoleDoor', { settings, decide: functions.decide });

    const censusMinutes = Object.fromEntries(
      clusters.flatMap(
        ([
          name,
          {
            census: { enabled, everyMinutes },
          },
        ]) => (enabled ? [[name, everyMinutes]] : []),
      ),
    );
    new PipelineAlarms(this, 'PipelineAlarms', {
      clusters: clusters.map(([name]) => name),
      stateMachine: workflow.stateMachine,
      deadLetters: {
        intake: intake.deadLetters,
        census: census.deadLetters,
        ...(sweeper === undefined ? {} : { sweeper: sweeper.deadLetters }),
      },
      swept: replacing.map(([name]) => name),
      censusMinutes,
      action: alarmAction,
    });
    for (const [cluster, { thresholds, alarms, census: looks }] of clusters) {
      new ClusterAlarms(this, `ClusterAlarms-${cluster}`, {
        cluster,
        thresholds,
        containerInsights: alarms.containerInsights,
        action: alarmAction,
        ...(looks.enabled ? { censusMinutes: looks.everyMinutes } : {}),
      });
    }
    if (settings.nodeRoles.length > 0) new NodeRights(this, 'NodeRights', { roleNames: settings.nodeRoles });
    new FleetDashboard(this, 'Fleet', { auditLogGroupName: auditTrail.logGroupName });
    new SavedQueries(this, 'Queries', { logGroupName: auditTrail.logGroupName });
    const { workspaceArn } = settings.prometheus;
    if (workspaceArn !== undefined) new PrometheusRules(this, 'Prometheus', { workspaceArn });

    new CfnOutput(this, 'StateMachineArn', { value: workflow.stateMachine.stateMachineArn });
    new CfnOutput(this, 'DecideFunctionName', { value: functions.decide.functionName });
    new CfnOutput(this, 'NotificationTopicArn', { value: notifications.topicArn });
    new CfnOutput(this, 'AuditLogGroupName', { value: auditTrail.logGroupName });
    new CfnOutput(this, 'StateTableName', { value: stateTable.tableName });
    new CfnOutput(this, 'AuditTableName', { value: auditTrail.tableName });
    new CfnOutput(this, 'SigningKeyId', { value: signingKey.keyId });
  }
}
