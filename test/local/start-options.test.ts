import { afterEach, describe, expect, it, vi } from 'vitest';
import { Outcome } from '../../lambdas/domain/incident-state.ts';
import { exitCodes } from '../../local/exit-code.ts';
import { faults } from '../../local/faults.ts';
import { listRecordedNodes } from '../../local/node/recorded-node.ts';
import { startOptions, UsageError, usageOf } from '../../local/start-options.ts';
import { virtualFaults } from '../../local/vm/faults/index.ts';

const recorded = listRecordedNodes();
const options = (...args: string[]) => startOptions(args, recorded);

afterEach(() => vi.unstubAllEnvs());

describe('npm start', () => {
  it('takes the host first and the policy as shipped, unless told otherwise', () => {
    const { nodes, mode, approve, json, hostAsked } = options();
    expect({ first: nodes[0], mode, approve, json, hostAsked }).toEqual({
      first: 'host',
      mode: 'auto',
      approve: 'ask',
      json: false,
      hostAsked: false,
    });
    expect(nodes[1]).toBe('v2-zombies');
  });

  it.each<[string[], string[]]>([
    [
      ['--fault', 'healthy'],
      ['healthy', 'vm'],
    ],
    [
      ['--fault', 'inconclusive'],
      ['garbage', 'silent'],
    ],
    [['--node', 'silent'], ['silent']],
    [['--node', 'vm'], ['vm']],
    [['--node', 'vm', '--fault', 'dying-memcgs'], ['vm']],
    [['--node', 'vm', '--fault', 'healthy'], ['vm']],
    [
      ['--fault', 'session-churn'],
      ['v1-logins', 'vm'],
    ],
    [['--node', 'v1-zombies', '--fault', 'dying-memcgs'], ['v1-zombies']],
  ])('%j means the nodes %j', (args, nodes) => {
    expect(options(...args).nodes).toEqual(nodes);
  });

  it('remembers that the host was asked for, and has a stand-in for a kernel that leaks nothing', () => {
    expect(options('--node', 'host')).toMatchObject({
      hostAsked: true,
      nodes: ['host', 'v2-zombies', ...(faults['dying-memcgs']?.slice(2) ?? [])],
    });
  });

  it.each<[string, string[], RegExp]>([
    [
      'an unknown flag',
      ['--nodes', 'host'],
      /valid flags: --node, --fault, --approve, --mode, --json, --help/,
    ],
    ['an argument', ['host'], /unexpected argument "host"; valid flags/],
    [
      'an unknown node',
      ['--node', 'v3'],
      /"v3".*auto, host, vm, agent-memory, cpu-quota, dead-containers, garbage, healthy, kubelet-leak/,
    ],
    [
      'an unknown fault',
      ['--fault', 'fire'],
      /"fire": use one of session-churn, .*dying-memcgs, .*, healthy, inconclusive/,
    ],
    [
      'a fault that the node cannot have',
      ['--node', 'healthy', '--fault', 'dying-memcgs'],
      /cannot be had on healthy: use one of host/,
    ],
    [
      'a fault that the host cannot have',
      ['--node', 'host', '--fault', 'healthy'],
      /cannot be had on host: use one of healthy/,
    ],
    [
      'a fault that a virtual node cannot have',
      ['--node', 'vm', '--fault', 'inconclusive'],
      /cannot be had on vm: use one of garbage, silent/,
    ],
    ['an unknown way to approve', ['--approve', 'maybe'], /"maybe" for --approve: use one of ask, yes, no/],
    ['an unknown mode', ['--mode', 'fast'], /"fast" for --mode: use one of observe, approve, auto/],
    ['a flag without its value', ['--node'], /--node/],
  ])('refuses %s, with the list of what is valid', (_, args, message) => {
    expect(() => options(...args)).toThrow(UsageError);
    expect(() => options(...args)).toThrow(message);
  });

  it('says which fault a virtual node has to be given', () => {
    expect(options('--node', 'vm').fault).toBe('dying-memcgs');
    expect(options('--node', 'vm', '--fault', 'agent-leak').fault).toBe('agent-leak');
  });

  it('says so when npm has kept a flag for itself', () => {
    vi.stubEnv('npm_config_node', 'healthy');

    expect(() => options('--json')).toThrow(
      'npm kept "--node" for itself: put "--" before the flags, as in "npm run -s start -- --json --node healthy"',
    );
    expect(options('--node', 'healthy').nodes).toEqual(['healthy']);
  });

  it.each<[string[], Record<string, string>, string]>([
    // As npm 11 hands on "--node healthy", "--node nope", "--node healthy --mode approve" and "--node= --mode=approve".
    [['healthy'], { node: 'true' }, '--node healthy"'],
    [['nope'], { node: 'true' }, '--node nope"'],
    [['healthy', 'approve'], { mode: 'true', node: 'true' }, '--node healthy --mode approve"'],
    [[], { node: '', mode: 'approve' }, '--node VALUE --mode approve"'],
  ])('repeats the values that npm has taken from their flags: %j %j', (args, taken, text) => {
    for (const [flag, value] of Object.entries(taken)) vi.stubEnv(`npm_config_${flag}`, value);

    expect(() => options(...args)).toThrow(text);
  });

  it('knows a recorded node for every name in the list of faults', () => {
    const named = Object.values(faults)
      .flat()
      .filter((node) => node !== 'host' && node !== 'vm');
    expect([...recorded].sort()).toEqual([...named].sort());
  });

  it('knows every fault of a virtual node', () => {
    const vm = Object.entries(faults).flatMap(([fault, nodes]) => (nodes.includes('vm') ? [fault] : []));
    expect(vm.sort()).toEqual(Object.keys(virtualFaults).sort());
    for (const fault of vm) expect(options('--node', 'vm', '--fault', fault).nodes).toEqual(['vm']);
  });

  it('says in its help which fault each node can have', () => {
    const lines = usageOf(recorded).split('\n');
    for (const [fault, nodes] of Object.entries(faults)) {
      expect(lines.find((line) => line.trim().startsWith(`${fault} `))).toContain(nodes.join(', '));
    }
  });

  it('says in its help which nodes, faults and exit codes there are', () => {
    const usage = usageOf(recorded);
    for (const word of [...recorded, ...Object.keys(faults), 'exit code', '130'])
      expect(usage).toContain(word);
    for (const outcome of Outcome.options) expect(usage).toContain(`${exitCodes[outcome]}    ${outcome}: `);
  });
});
