import { describe, expect, it } from 'vitest';
import { alertmanager } from '../../../../lambdas/domain/intake/alertmanager.ts';
import { amp } from '../../../../lambdas/domain/intake/amp.ts';
import { byHand } from '../../../../lambdas/domain/intake/by-hand.ts';
import { census } from '../../../../lambdas/domain/intake/census.ts';
import { cloudwatch } from '../../../../lambdas/domain/intake/cloudwatch.ts';
import { aboutNode } from '../../../../lambdas/domain/intake/composite.ts';
import { sources } from '../../../../lambdas/domain/intake/index.ts';
import { type Delivery, type Source, sourceIds } from '../../../../lambdas/domain/intake/raw-alarm.ts';
import { about, payload } from '../../../intake-payloads/payloads.ts';

const delivery: Delivery = {
  messageId: '9b5b0f5e-0000-4000-8000-000000000001',
  sentAt: new Date('2026-11-21T06:31:00.000Z'),
  senderId: 'AROAEXAMPLE:alice@example.com',
};
const { instanceId, nodeName, cluster } = about;
const at = about.at.toISOString();
const read = (source: Source, given: unknown, by: Delivery = delivery) => source.read(given, by);

/** The one alarm of a payload that holds nothing else. */
function only(source: Source, given: unknown) {
  const { alarms, refusals } = read(source, given);
  expect(refusals).toEqual([]);
  expect(alarms).toHaveLength(1);
  return alarms[0];
}

/** Why a payload starts nothing. */
function refused(source: Source, given: unknown, by: Delivery = delivery) {
  const { alarms, refusals } = read(source, given, by);
  expect(alarms).toEqual([]);
  return refusals.map(({ reason }) => reason);
}

function changed(name: string, change: (given: ReturnType<typeof payload>) => void) {
  const given = payload(name);
  change(given);
  return given;
}

it('there is a reader for every source that an incident can have', () => {
  expect(sources.map(({ id }) => id).sort()).toEqual([...sourceIds].sort());
});

describe('an alarm of CloudWatch', () => {
  it('names an instance by its dimension', () => {
    expect(only(cloudwatch, payload('cloudwatch-instance'))).toEqual({
      source: 'cloudwatch',
      eventId: '0b7d6c0e-2a1f-4c7e-9b0a-3f6f5e1f7a11',
      at,
      state: 'firing',
      target: { instanceId },
      cluster,
      reason: expect.stringMatching(/^cgroup-medic-dying-i-0123456789abcdef0: Threshold Crossed/),
    });
  });

  it('on several metrics names the node that all of them are about', () => {
    expect(only(cloudwatch, payload('cloudwatch-node'))).toMatchObject({ target: { nodeName }, cluster });
  });

  it('on metrics of several nodes names none', () => {
    const two = changed('cloudwatch-node', ({ detail }) => {
      detail.configuration.metrics[2].metricStat.metric.dimensions.NodeName = 'ip-10-0-1-99.ec2.internal';
    });
    expect(refused(cloudwatch, two)).toEqual(['no-node']);
  });

  it('names the instance rather than the node where it has both, as Container Insights does', () => {
    const both = changed('cloudwatch-instance', ({ detail }) => {
      detail.configuration.metrics[0].metricStat.metric.dimensions.NodeName = nodeName;
    });
    expect(only(cloudwatch, both)).toMatchObject({ target: { instanceId } });
  });

  it.each([
    ['InstanceId', 'i-0123456789abcdef0 '],
    ['InstanceId', 'i-XYZ'],
    ['InstanceId', 'mi-0123456789abcdef0'],
    ['InstanceId', ''],
    ['ClusterName', 'prod; rm -rf /'],
  ])('whose dimension %s is "%s" names no node', (name, value) => {
    const wrong = changed('cloudwatch-instance', ({ detail }) => {
      detail.configuration.metrics[0].metricStat.metric.dimensions[name] = value;
      detail.configuration.metrics[0].metricStat.metric.dimensions.NodeName = nodeName;
    });
    expect(refused(cloudwatch, wrong)).toEqual(['no-node']);
  });

  it('that is one series of a query names what the query groups by', () => {
    expect(only(cloudwatch, payload('cloudwatch-contributor'))).toMatchObject({
      target: { instanceId },
      cluster,
    });
  });

  it('on a query says only how many series there are: they come apart', () => {
    expect(refused(cloudwatch, payload('cloudwatch-contributors'))).toEqual(['comes-apart']);
  });

  it('composed of others becomes one for each that has triggered it, and none for those that have not', () => {
    expect(only(cloudwatch, payload('cloudwatch-composite'))).toMatchObject({
      target: { alarmName: 'dying-a' },
      state: 'firing',
      at,
    });
    const ended = changed('cloudwatch-composite', ({ detail }) => {
      detail.state.value = 'OK';
    });
    expect(only(cloudwatch, ended)).toMatchObject({ target: { alarmName: 'dying-b' }, state: 'resolved' });
  });

  it.each([
    undefined,
    '',
    'no JSON',
    '{}',
    '{"triggeringAlarms":[]}',
    '{"triggeringAlarms":[{"arn":"dying-a","state":{"value":"ALARM"}}]}',
  ])('composed of others that does not say which (%s) is refused', (reasonData) => {
    const silent = changed('cloudwatch-composite', ({ detail }) => {
      detail.state.reasonData = reasonData;
    });
    expect(refused(cloudwatch, silent)).toEqual(['no-node']);
  });

  it('that is muted or suppressed opens nothing; that it has ended is taken all the same', () => {
    const muted = (value: string) =>
      changed('cloudwatch-instance', ({ detail }) => {
        detail.muteDetail = { mutedByArn: 'arn:of-the-rule', muteWindowEnd: '2026-11-21T12:00:00.000+0000' };
        detail.state.value = value;
      });
    const suppressed = changed('cloudwatch-composite', ({ detail }) => {
      detail.state.actionsSuppressedBy = 'Alarm';
    });
    expect(refused(cloudwatch, muted('ALARM'))).toEqual(['muted']);
    expect(refused(cloudwatch, suppressed)).toEqual(['muted']);
    expect(only(cloudwatch, muted('OK'))).toMatchObject({ state: 'resolved' });
  });

  it.each([
    ['an event of another kind', { 'detail-type': 'CloudWatch Alarm Configuration Change' }],
    ['an event of somebody else', { source: 'my.app' }],
    ['an event without an id', { id: '' }],
    ['an event without content', { detail: null }],
  ])('is not %s', (_, change) => {
    expect(refused(cloudwatch, { ...payload('cloudwatch-instance'), ...change })).toEqual(['malformed']);
  });

  it.each(['', 'yesterday', '2026-11-21', '0001-01-01T00:00:00Z'])('did not change at "%s"', (timestamp) => {
    const timeless = changed('cloudwatch-instance', ({ detail }) => {
      detail.state.timestamp = timestamp;
    });
    expect(refused(cloudwatch, timeless)).toEqual(['malformed']);
  });
});

describe('an alarm that a composite one names', () => {
  const child = only(cloudwatch, payload('cloudwatch-composite'));
  const of = (sets?: Record<string, string>[]) =>
    child && aboutNode(child, new Map(sets === undefined ? [] : [['dying-a', sets]]));

  it('is about what its own metrics are about', () => {
    expect(of([{ ClusterName: cluster, InstanceId: instanceId }])).toMatchObject({
      target: { instanceId },
      cluster,
      eventId: child?.eventId,
    });
  });

  it.each([
    [undefined],
    [[]],
    [[{ ClusterName: cluster }]],
    [[{ InstanceId: instanceId }, { InstanceId: 'i-0deadbeef0deadbee' }]],
  ])('is refused where these say %j', (sets) => {
    expect(of(sets)).toMatchObject({ reason: 'no-node' });
  });
});

describe.each([
  [alertmanager, 'alertmanager', '1a30ba71cca2921f'],
  [amp, 'amp', '2b30ba71cca29220'],
] as const)('an alert of $id', (source, name, fingerprint) => {
  const groupOf = () => (name === 'amp' ? JSON.parse(payload('amp')) : payload('alertmanager'));
  const send = (group: unknown) => (name === 'amp' ? JSON.stringify(group) : group);
  const altered = (change: (alert: ReturnType<typeof payload>) => void) => {
    const group = groupOf();
    change(group.alerts[0]);
    return send(group);
  };

  it('names its node by the label of kube-state-metrics, and goes by its fingerprint and when it began', () => {
    expect(only(source, payload(name))).toMatchObject({
      source: name,
      eventId: `${fingerprint}@${at}`,
      at,
      state: 'firing',
      target: { nodeName },
      cluster,
      reason: `CgroupMedicDyingMemoryCgroups: 8412 dying memory cgroups on ${nodeName}`,
    });
  });

  it('may name the instance itself', () => {
    const given = altered(({ labels }) => {
      labels.instance_id = instanceId;
    });
    expect(only(source, given)).toMatchObject({ target: { instanceId } });
  });

  it('that has ended is known by when it began, and ended when it says', () => {
    const ended = altered((alert) => {
      alert.status = 'resolved';
      alert.endsAt = '2026-11-21T07:00:00Z';
    });
    expect(only(source, ended)).toMatchObject({
      state: 'resolved',
      at: '2026-11-21T07:00:00.000Z',
      eventId: `${fingerprint}@${at}`,
    });
  });

  it.each([
    ['is not of these rules', 'not-for-us', { cgroup_medic: undefined }],
    ['says so of itself only nearly', 'not-for-us', { cgroup_medic: 'yes' }],
    ['is for people', 'not-for-us', { severity: 'info' }],
    ['does not say how bad it is', 'not-for-us', { severity: undefined }],
    ['names no node', 'no-node', { node: undefined }],
    ['names an empty node', 'no-node', { node: '' }],
    ['names a node that cannot be one', 'no-node', { node: 'Robert"); DROP TABLE nodes' }],
    ['names a wildcard', 'no-node', { node: 'ip-10-0-*' }],
    ['names an instance that cannot be one', 'no-node', { instance_id: 'i-*' }],
    ['names a cluster that cannot be one', 'unknown-cluster', { cluster: '../prod' }],
  ])('that %s: %s', (_, reason, labels) => {
    const given = altered((alert) => {
      alert.labels = JSON.parse(JSON.stringify({ ...alert.labels, ...labels }));
    });
    expect(refused(source, given)).toEqual([reason]);
  });

  it('with a broken neighbour is taken all the same', () => {
    const group = groupOf();
    group.alerts.push({ status: 'on fire' }, { ...group.alerts[0], startsAt: 'soon' });
    const { alarms, refusals } = read(source, send(group));
    expect(alarms).toHaveLength(1);
    expect(refusals.map(({ reason }) => reason)).toEqual(['malformed', 'malformed']);
  });

  it('of a group that is too large, or was cut, leaves a refusal behind for the rest', () => {
    const group = groupOf();
    group.alerts = Array.from({ length: 103 }, () => group.alerts[0]);
    group.truncatedAlerts = 4;
    const { alarms, refusals } = read(source, send(group));
    expect(alarms).toHaveLength(100);
    expect(refusals).toEqual([{ reason: 'too-many', sentence: expect.stringContaining('7 alerts') }]);
  });

  it('is not in a group without any', () => {
    expect(refused(source, send({ ...groupOf(), alerts: [] }))).toEqual(['malformed']);
    expect(refused(source, send({ ...groupOf(), alerts: 'many' }))).toEqual(['malformed']);
  });
});

describe('a message of Amazon Managed Prometheus', () => {
  it('that nobody has made JSON of says which template does', () => {
    const { alarms, refusals } = read(amp, payload('amp-text'));
    expect(alarms).toEqual([]);
    expect(refusals).toEqual([
      {
        reason: 'malformed',
        sentence: expect.stringContaining('use the template in prometheus/amp-alertmanager.yaml'),
      },
    ]);
  });

  it('is text', () => {
    expect(refused(amp, JSON.parse(payload('amp')))).toEqual(['malformed']);
  });
});

describe('a notification of an Alertmanager', () => {
  it.each([{ version: '3' }, { version: 4 }, { version: undefined }])(
    'of version %j is not taken',
    (version) => {
      expect(refused(alertmanager, { ...payload('alertmanager'), ...version })).toEqual(['malformed']);
    },
  );
});

describe('a finding of the census', () => {
  it('names everything', () => {
    expect(only(census, payload('census'))).toEqual({
      source: 'census',
      eventId: `${cluster}/${instanceId}/dying-memcgs`,
      at,
      state: 'firing',
      target: { instanceId },
      cluster,
      reason: 'dying-memcgs: 8412 dying memory cgroups: more than 2000',
    });
  });

  it.each([{ cluster: '' }, { instanceId: 'node-1' }, { at: 'now' }, { reason: 7 }])(
    'with %j is refused',
    (wrong) => {
      expect(refused(census, { ...payload('census'), ...wrong })).toEqual(['malformed']);
    },
  );
});

describe('a request by hand', () => {
  it('is of whoever AWS says has sent it, when it was sent; what it says of itself is dropped', () => {
    const given = {
      ...payload('by-hand'),
      requestedBy: 'mallory',
      at: '2020-01-01T00:00:00Z',
      source: 'cloudwatch',
    };
    expect(only(byHand, given)).toEqual({
      source: 'by-hand',
      eventId: delivery.messageId,
      at: '2026-11-21T06:31:00.000Z',
      state: 'firing',
      target: { instanceId },
      cluster,
      reason: 'asked for by hand: slow since noon',
      requestedBy: 'AROAEXAMPLE:alice@example.com',
    });
  });

  it('is refused where nobody has sent it', () => {
    const { senderId: _, ...nobody } = delivery;
    expect(refused(byHand, payload('by-hand'), nobody)).toEqual(['forged']);
    expect(refused(byHand, payload('by-hand'), { ...delivery, senderId: '' })).toEqual(['forged']);
  });

  it.each([{ cluster: undefined }, { instanceId: undefined }, { reason: 'x'.repeat(501) }])(
    'with %j is refused',
    (wrong) => {
      expect(refused(byHand, { ...payload('by-hand'), ...wrong })).toEqual(['malformed']);
    },
  );
});
